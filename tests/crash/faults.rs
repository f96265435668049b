//! Two servers on one PostgreSQL: servers are killed, PostgreSQL crashes, and connections are terminated and reset.

use std::{path::Path, process::Stdio, time::Duration};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

use crate::{
    check::{Place, check},
    cluster::{Cluster, NAME},
    dice::Dice,
    first, jobs,
    proxy::{Proxy, Target},
    server::{Server, command, printed},
    writers::Writers,
};

/// Maximum delay of each chunk between a server and PostgreSQL, in milliseconds.
const DATABASE_DELAY: u64 = 3;
/// Maximum delay of each chunk between a client and a server, in milliseconds.
const API_DELAY: u64 = 2;
/// SQLSTATE codes that must not occur: a statement in a failed transaction; a timeout of an idle transaction.
const NEVER: [&str; 2] = ["25P02", "25P03"];

/// A fault to inject.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// SIGKILL to one of the servers.
    Kill,
    /// PostgreSQL crashes and restarts.
    Restart,
    /// PostgreSQL terminates one connection.
    Terminate,
    /// Number of connections between clients and a server to reset.
    ResetApi(u64),
    /// Number of connections between the servers and PostgreSQL to reset.
    ResetDatabase(u64),
}

/// Returns 10 kills, 5 crashes of PostgreSQL, 50 terminated connections and 200 resets, each times `times`, shuffled.
fn faults(dice: &mut Dice, times: u64) -> Vec<Fault> {
    let mut faults = Vec::new();
    for _ in 0..times {
        faults.extend([Fault::Kill; 10]);
        faults.extend([Fault::Restart; 5]);
        faults.extend([Fault::Terminate; 50]);
        for make in [Fault::ResetApi, Fault::ResetDatabase] {
            let mut left = 100;
            while left > 0 {
                let some = dice.number(1..8).min(left);
                faults.push(make(some));
                left -= some;
            }
        }
    }
    dice.shuffle(&mut faults);
    faults
}

pub async fn everything_fails_on_postgres(mut dice: Dice, times: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::make().await;
    let database = Proxy::start(Target::Socket(cluster.socket()), DATABASE_DELAY, dice.fork()).await;
    let settings = settings(folder.path(), &database);
    migrate(folder.path(), &settings, &mut dice).await;

    let mut servers = Vec::new();
    let mut wires = Vec::new();
    for name in ["one", "other"] {
        let mut server = Server::new(folder.path(), name, &settings);
        server.start().await;
        wires.push(Proxy::start(Target::Server(server.address()), API_DELAY, dice.fork()).await);
        servers.push(server);
    }
    let addresses: Vec<_> = wires.iter().map(Proxy::as_server).collect();
    let mut writers = Writers::start(folder.path(), &["acme", "bolt"], &settings, &addresses, &mut dice).await;
    let faults = faults(&mut dice, times);
    // 2,000 acknowledged writes suffice for a routine run.
    let acknowledgements = if times == 1 { 2_000 } else { 5_000 * times };
    let each = acknowledgements / faults.len() as u64;
    for fault in &faults {
        writers.go_on(dice.number(each / 3..each + each / 2)).await;
        dice.moment(10).await;
        assert!(servers.iter_mut().all(Server::is_running), "a server ended that nobody had killed");
        match *fault {
            Fault::Kill => {
                let server = &mut servers[usize::from(dice.one_in(2))];
                server.kill();
                server.start().await;
            }
            Fault::Restart => cluster.restart_immediately().await,
            Fault::Terminate => {
                while !cluster.terminate(&mut dice).await {
                    dice.moment(10).await;
                }
            }
            Fault::ResetApi(count) => reset(&wires, count, &mut dice).await,
            Fault::ResetDatabase(count) => reset(std::slice::from_ref(&database), count, &mut dice).await,
        }
    }
    writers.reach(acknowledgements).await;
    let accounts = writers.finish(folder.path()).await;

    let quiet = async {
        while !cluster.in_transaction().await.is_empty() {
            dice.moment(50).await;
        }
    };
    let is_quiet = tokio::time::timeout(Duration::from_secs(5), quiet).await.is_ok();
    assert!(is_quiet, "left open: {:?}", cluster.in_transaction().await);
    let mut wrong = check(&Place::Postgres(Box::new(cluster.options(NAME))), &accounts).await;
    wrong.extend(cluster.logged(&NEVER));
    wrong.extend(servers.iter().flat_map(Server::errors));
    assert!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), first(&wrong));
    let acknowledged: usize = accounts.iter().map(|account| account.acknowledged.len()).sum();
    println!("{} faults, {acknowledged} acknowledged writes: none lost, none doubled", faults.len());
}

/// Two servers share jobs, and each is killed now and then.
pub async fn jobs_go_on_with_two_servers(mut dice: Dice) {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::make().await;
    let database = Proxy::start(Target::Socket(cluster.socket()), 0, dice.fork()).await;
    let settings = settings(folder.path(), &database);
    printed(command(folder.path(), ["migrate"].into_iter().chain(settings.iter().map(String::as_str))));
    let mut servers = Vec::new();
    for name in ["one", "other"] {
        let mut server = Server::new(folder.path(), name, &settings);
        server.start().await;
        servers.push(server);
    }
    let place = Place::Postgres(Box::new(cluster.options(NAME)));
    jobs::are_performed_once(folder.path(), &settings, &place, &mut servers, dice).await;
}

/// Returns the settings of servers that reach PostgreSQL through a proxy, with a key that they share.
fn settings(folder: &Path, database: &Proxy) -> [String; 2] {
    let key = folder.join("key.der");
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    std::fs::write(&key, pair.to_pkcs8v1().unwrap().as_ref()).unwrap();
    [
        format!("--database-url=postgres://{NAME}@{}/{NAME}?sslmode=disable", database.address),
        format!("--signing-key={}", key.display()),
    ]
}

/// Migrates the schema, after several runs that are killed.
async fn migrate(folder: &Path, settings: &[String], dice: &mut Dice) {
    let migrate = || command(folder, ["migrate"].into_iter().chain(settings.iter().map(String::as_str)));
    for _ in 0..3 {
        let mut killed = migrate().stderr(Stdio::null()).spawn().unwrap();
        dice.moment(800).await;
        killed.kill().unwrap();
        killed.wait().unwrap();
    }
    printed(migrate());
}

/// Resets `count` connections, chosen at random.
async fn reset(wires: &[Proxy], count: u64, dice: &mut Dice) {
    let mut done = 0;
    while done < count {
        let wire = dice.pick(wires).expect("there is a wire");
        if wire.reset(dice) {
            done += 1;
        } else {
            dice.moment(5).await;
        }
    }
}
