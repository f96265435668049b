//! Checks the requirements on a PostgreSQL server, a connection pooler and the role, before anything else.

use std::{collections::BTreeMap, time::Duration};

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, postgres::PgConnectOptions};

use super::diagnosis::{self, Cause, Reason};
use crate::{Result, store::Address};

/// Timeout for connecting to the server.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Settings of every session, which override those of the role and the database. Poolers may drop them: see [`MUST`]
/// and [`TIMES`].
pub const SESSION: [(&str, &str); 6] = [
    // Each statement sees the data committed when it begins.
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "off"),
    ("standard_conforming_strings", "on"),
    ("transform_null_equals", "off"),
    // A ROLLBACK without a transaction would cause a warning.
    ("client_min_messages", "error"),
    // Compiling a statement takes longer than any statement here runs.
    ("jit", "off"),
];

/// Timeouts of a server's sessions.
pub const TIMES: [(&str, &str); 3] =
    [("statement_timeout", "5s"), ("lock_timeout", "2s"), ("idle_in_transaction_session_timeout", "10s")];

/// Disables the timeouts for long-running work, including those of the role.
pub const NO_TIMES: [(&str, &str); 3] =
    [("statement_timeout", "0"), ("lock_timeout", "0"), ("idle_in_transaction_session_timeout", "0")];

/// Settings required for correctness, and how to fix each.
const MUST: [(&str, &str, &str); 6] = [
    (
        "server_encoding",
        "UTF8",
        "make another database: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0 (and a locale that goes with it)",
    ),
    ("client_encoding", "UTF8", "a pooler must pass it on"),
    (
        "default_transaction_isolation",
        "read committed",
        "ALTER ROLE … SET default_transaction_isolation = 'read committed'",
    ),
    ("standard_conforming_strings", "on", "ALTER ROLE … SET standard_conforming_strings = on"),
    ("transform_null_equals", "off", "ALTER ROLE … SET transform_null_equals = off"),
    ("session_replication_role", "origin", "ALTER ROLE … RESET session_replication_role: it switches foreign keys off"),
];

/// Settings without which acknowledged writes may be lost.
const SHOULD: [(&str, &str); 3] = [("fsync", "on"), ("full_page_writes", "on"), ("synchronous_commit", "on")];

/// The relevant settings of a server.
#[derive(Clone, Debug, Default)]
pub struct Server {
    settings: BTreeMap<String, String>,
    /// Whether the server accepts no writes.
    pub only_reads: bool,
}

impl Server {
    /// Reads the settings on a separate connection, so that problems are reported at once and unaltered.
    pub async fn ask(options: &PgConnectOptions, address: &Address) -> Result<Self> {
        let connected = tokio::time::timeout(TIMEOUT, PgConnection::connect_with(options)).await;
        let mut connection = match connected {
            Err(_) => return Err(Cause(format!("cannot reach {address}: no answer within 5 seconds")).into()),
            Ok(Err(error)) => return Err(explain(&error, address).into()),
            Ok(Ok(connection)) => connection,
        };
        let found = tokio::time::timeout(TIMEOUT, Self::read(&mut connection)).await;
        let server = match found {
            Err(_) => return Err(Cause(format!("{address} does not answer within 5 seconds")).into()),
            Ok(Err(error)) => return Err(explain(&error, address).into()),
            Ok(Ok(server)) => server,
        };
        // The server's response to the termination is not relevant.
        drop(connection.close().await);
        server.check(options.get_database().unwrap_or_else(|| options.get_username()))?;
        Ok(server)
    }

    async fn read(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        // Reads `pg_settings`, because `current_setting` fails for a setting that the server does not know.
        let asked = "SELECT name, setting FROM pg_settings UNION ALL \
                     SELECT 'transaction_read_only here', current_setting('transaction_read_only') UNION ALL \
                     SELECT 'in recovery', CASE WHEN pg_is_in_recovery() THEN 'on' ELSE 'off' END UNION ALL \
                     SELECT 'schema', COALESCE(CAST(current_schema() AS TEXT), '')";
        let rows = sqlx::query(AssertSqlSafe(asked)).fetch_all(connection).await?;
        let settings: BTreeMap<String, String> =
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, sqlx::Error>>()?;
        let is_on = |name: &str| settings.get(name).is_some_and(|text| text == "on");
        let only_reads = is_on("transaction_read_only here") || is_on("in recovery");
        Ok(Self { settings, only_reads })
    }

    fn check(&self, database: &str) -> Result<()> {
        for (name, wanted, mend) in MUST {
            let found = self.settings.get(name).map_or("", String::as_str);
            if !found.eq_ignore_ascii_case(wanted) {
                let said = format!("the database {database} has {name} {found}, and Rapport needs {wanted}: {mend}");
                return Err(Cause(said).into());
            }
        }
        if self.settings.get("schema").is_some_and(String::is_empty) {
            let said = format!(
                "the search_path of this role names no schema of the database {database} that is there and that it may use"
            );
            return Err(Cause(said).into());
        }
        Ok(())
    }

    /// Err if the server accepts no writes.
    pub fn must_write(&self, address: &Address) -> Result<()> {
        if !self.only_reads {
            return Ok(());
        }
        let kind =
            if self.settings.get("in recovery").is_some_and(|text| text == "on") { "a standby" } else { "read-only" };
        Err(Cause(format!("{address} is {kind} and accepts no writes: use the primary in --database-url")).into())
    }

    /// Returns messages about optional requirements that are not met.
    pub fn unmet_requirements(&self) -> Vec<String> {
        let is = |name: &str, wanted: &str| self.settings.get(name).is_none_or(|found| found == wanted);
        let mut unmet = Vec::new();
        let lost: Vec<_> = TIMES.iter().filter(|(name, _)| is(name, "0")).collect();
        if !lost.is_empty() {
            let mend: Vec<_> = lost.iter().map(|(name, time)| format!("SET {name} = '{time}'")).collect();
            unmet.push(format!(
                "a pooler drops the session time-outs; set them for the role with ALTER ROLE: {}",
                mend.join(", ")
            ));
        }
        for (name, wanted) in SHOULD {
            if !is(name, wanted)
                && (name != "synchronous_commit" || !is(name, "remote_apply") && !is(name, "remote_write"))
            {
                let found = &self.settings[name];
                unmet.push(format!("{name} is {found}: a crash of PostgreSQL may lose writes that were acknowledged"));
            }
        }
        unmet
    }
}

/// Explains why a server refused the connection or did not respond.
fn explain(error: &sqlx::Error, address: &Address) -> Cause {
    Cause(match error {
        sqlx::Error::Io(error) => format!("cannot reach {address}: {}", Reason(error)),
        sqlx::Error::Tls(error) => format!("TLS with {address} failed, see sslmode in --database-url: {error}"),
        sqlx::Error::Protocol(_) => format!("what answers at {address} does not speak PostgreSQL's protocol"),
        sqlx::Error::Database(database) => {
            let reason =
                diagnosis::of_driver(error).unwrap_or_else(|| format!("PostgreSQL says: {}", database.message()));
            reason.replacen("PostgreSQL says:", &format!("{address} says:"), 1)
        }
        _ => format!("{address} cannot be used"),
    })
}
