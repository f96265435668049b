//! A connection pooler in front of PostgreSQL that drops the settings with which a session starts.

use std::{net::SocketAddr, path::Path, str::FromStr};

use sqlx::postgres::PgConnectOptions;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use crate::{database::Database, start::program};

/// The number that a client sends to ask for TLS.
const TLS: u32 = 80_877_103;

/// Starts a pooler in front of the server of a database.
async fn start(url: &str) -> SocketAddr {
    let server = PgConnectOptions::from_str(url).unwrap();
    let server = format!("{}:{}", server.get_host(), server.get_port());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(carry(client, server.clone()));
        }
    });
    address
}

async fn carry(mut client: TcpStream, server: String) -> std::io::Result<()> {
    let (version, text) = loop {
        let length = usize::try_from(client.read_u32().await?).unwrap();
        let version = client.read_u32().await?;
        if version == TLS {
            client.write_all(b"N").await?;
            continue;
        }
        let mut text = vec![0; length - 8];
        client.read_exact(&mut text).await?;
        break (version, text);
    };
    let words: Vec<&[u8]> = text.split(|byte| *byte == 0).take_while(|word| !word.is_empty()).collect();
    let mut kept = Vec::new();
    for setting in words.chunks(2).filter(|setting| ["user", "database"].map(str::as_bytes).contains(&setting[0])) {
        for word in setting {
            kept.extend_from_slice(word);
            kept.push(0);
        }
    }
    kept.push(0);
    let mut server = TcpStream::connect(server).await?;
    server.write_u32(u32::try_from(kept.len() + 8).unwrap()).await?;
    server.write_u32(version).await?;
    server.write_all(&kept).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

#[tokio::test]
async fn behind_a_pooler_the_timeouts_of_the_role_do_not_stop_a_migration() {
    let Some(database) = Database::empty("").await else { return };
    for setting in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] {
        database.change(&format!("ALTER DATABASE {} SET {setting} = '1min'", database.name())).await;
    }
    for statement in [
        "CREATE FUNCTION has_no_timeouts() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
            IF current_setting('statement_timeout') || current_setting('lock_timeout')
                || current_setting('idle_in_transaction_session_timeout') <> '000'
            THEN RAISE EXCEPTION 'this may take too long'; END IF; END $$",
        "CREATE EVENT TRIGGER has_no_timeouts ON ddl_command_start EXECUTE FUNCTION has_no_timeouts()",
    ] {
        database.change(statement).await;
    }
    let pooler = start(&database.url).await;
    let (start, name) = database.url.rsplit_once('/').unwrap();
    let user = start.rsplit_once('@').unwrap().0;
    let url = format!("{user}@{pooler}/{name}");
    let mut migrate = program(Path::new(env!("CARGO_TARGET_TMPDIR")), &["migrate", "--database-url", &url]);
    let output = tokio::task::spawn_blocking(move || migrate.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
