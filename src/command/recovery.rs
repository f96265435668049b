//! Backup, restore, and repeating erasures after a restore.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, SecondsFormat};
use entity::{
    id::{self, OrganizationId},
    personal::PERSON,
};
use sea_orm::prelude::Uuid;

use super::{must_be_there, open, operator};
use crate::{
    auth::Actor,
    clock,
    config::{ErasureCommand, RestoreRequest, Settings},
    store::{
        self, Address, Extent, Options, Store,
        erasure::ledger::{self, Entry},
        operation::{backup::Exclusive, unscoped::Contents},
    },
};

/// Bytes copied between progress messages.
const STEP: usize = 64 << 20;

/// Writes a consistent copy of the database while it is in use.
pub async fn backup(settings: &Settings, file: &Path) -> Result<String> {
    let database = settings.database_file().context("backup supports SQLite only; use pg_dump for PostgreSQL")?;
    must_be_there(settings)?;
    ensure!(!file.exists(), "{} already exists; existing files are not overwritten", file.display());
    // Write to another name until complete: a partial backup must not look like a complete one.
    let part = beside(file, ".part");
    let held = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&part);
    let held = held.with_context(|| format!("cannot create {}", part.display()))?;
    held.try_lock().with_context(|| format!("another backup is writing {}", part.display()))?;
    held.set_len(0)?;
    let store = Store::open(&settings.database).await?;
    let size = fs::metadata(database)?.len();
    {
        let copy = store.copy_into(&part);
        tokio::pin!(copy);
        let mut ticks = tokio::time::interval(std::time::Duration::from_secs(1));
        ticks.tick().await;
        loop {
            tokio::select! {
                done = &mut copy => break done.with_context(|| format!("cannot write {}", part.display()))?,
                _ = ticks.tick() => tell(&format!("{} of about {} MiB", held.metadata()?.len() >> 20, size >> 20)),
            }
        }
    }
    store.close().await?;
    held.sync_all()?;
    // Create a hard link instead of renaming, which would replace a file created in the meantime.
    fs::hard_link(&part, file).with_context(|| format!("cannot create {}", file.display()))?;
    fs::remove_file(&part)?;
    sync_folder(file)?;
    Ok(String::new())
}

/// Replaces the database by a backup, and repeats the erasures made since.
pub async fn restore(settings: &Settings, request: &RestoreRequest) -> Result<String> {
    let file = settings.address().file().context(
        "restore supports SQLite only; use pg_restore for PostgreSQL, then \
                                                  `erasure replay`",
    )?;
    let database = &file.path;
    let erased = match (&settings.erasure_ledger, request.no_erasure_ledger) {
        (Some(file), false) => ledger::read(file, request.drop_torn_line)?,
        (None, true) => Vec::new(),
        (Some(_), true) => bail!("--erasure-ledger and --no-erasure-ledger cannot be combined"),
        (None, false) => bail!(
            "--erasure-ledger FILE is required, because a restore would bring back erased customers; use \
             --no-erasure-ledger if nobody was erased since the backup"
        ),
    };
    ensure!(request.file.exists(), "{} does not exist", request.file.display());
    let log = beside(&request.file, "-wal");
    if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        bail!(
            "{} exists: the copy was made by hand and is incomplete; make backups with `rapport backup`",
            log.display()
        );
    }
    let held = if database.exists() {
        ensure!(request.replace, "{} already exists; replace it with --replace", database.display());
        let held = Exclusive::take(file).await?;
        Some(held.with_context(|| format!("{} is in use; stop the server first", database.display()))?)
    } else {
        None
    };
    let new = beside(database, ".restoring");
    for leftover in ["", "-wal", "-shm"].map(|end| beside(&new, end)) {
        if leftover.exists() {
            fs::remove_file(leftover)?;
        }
    }
    copy(&request.file, &new)?;
    let has_ledger = !request.no_erasure_ledger;
    if let Err(error) = prepare(&new, has_ledger.then_some(erased.as_slice())).await {
        for leftover in ["", "-wal", "-shm"].map(|end| beside(&new, end)) {
            drop(fs::remove_file(leftover));
        }
        return Err(error.context(format!("{} was not restored", request.file.display())));
    }
    fs::rename(&new, database)?;
    if let Some(held) = held {
        held.release().await?;
    }
    sync_folder(database)?;
    Ok(String::new())
}

/// Prepares a copied database for a server: checks its integrity and schema, migrates it, and repeats erasures.
async fn prepare(file: &Path, erased: Option<&[Entry]>) -> Result<()> {
    let url = Address::of_file(file);
    let store = Store::open(&Options { url, max_connections: 1, acquire_timeout: Options::COMMAND_TIMEOUT })
        .await
        .context("not a SQLite database")?;
    let done = async {
        ensure!(matches!(store.contents().await?, Contents::Organizations(_)), "not a Rapport database");
        let flaws = store.flaws().await?;
        ensure!(flaws.is_empty(), "the file is corrupt: {}", flaws.join("; "));
        let unknown = store.unknown_steps().await?;
        ensure!(unknown.is_empty(), "created by a newer version: unknown migrations {}", unknown.join(", "));
        store.migrate().await?;
        if let Some(erased) = erased {
            check_whole(&store, erased).await?;
            replay(&store, erased).await?;
        }
        begin_epochs(&store).await?;
        // This includes the jobs that were in progress when the backup was made.
        store.finish_jobs(clock::now()).await?;
        Ok(store.scrub(|step| tell(&step)).await?)
    }
    .await;
    store.close().await?;
    File::open(file)?.sync_all()?;
    done
}

/// Runs an `erasure` command.
pub async fn erasure(settings: &Settings, command: &ErasureCommand) -> Result<String> {
    match command {
        ErasureCommand::Replay { drop_torn_line } => {
            let file = settings.erasure_ledger.as_ref().context("--erasure-ledger FILE is required")?;
            let erased = ledger::read(file, *drop_torn_line)?;
            let store = open(settings).await?;
            check_whole(&store, &erased).await?;
            let count = replay(&store, &erased).await?;
            begin_epochs(&store).await?;
            store.finish_jobs(clock::now()).await?;
            let all = erased.iter().filter(|entry| !matches!(entry, Entry::Part(_))).count();
            Ok(format!("{count} of {all} erasures were new to this database\n"))
        }
        ErasureCommand::List { organization } => list(settings, organization).await,
        ErasureCommand::Scrub => {
            open(settings).await?.scrub(|step| tell(&step)).await?;
            Ok(String::new())
        }
    }
}

/// Returns an error if the ledger lacks an erasure in the database: it is truncated or belongs to another database.
async fn check_whole(store: &Store, erased: &[Entry]) -> Result<()> {
    let recorded: HashSet<Uuid> = erased.iter().map(Entry::id).collect();
    for entry in store.all_erasures(None).await? {
        if !matches!(entry, Entry::Part(_)) && !recorded.contains(&entry.id()) {
            bail!(
                "erasure {} is in the database but not in the erasure ledger: the ledger is truncated or belongs to \
                 another database; use the complete ledger",
                entry.id()
            );
        }
    }
    Ok(())
}

/// Repeats the erasures of the ledger in several transactions and returns how many were new. Skips what an earlier run
/// has done, so an interrupted run can be repeated.
async fn replay(store: &Store, erased: &[Entry]) -> Result<usize> {
    let known = store.organizations().await?;
    let mut count = 0;
    for (place, entry) in erased.iter().enumerate() {
        let organization = OrganizationId(entry.organization());
        // An organization created after the backup has no data to erase.
        if known.iter().any(|(id, _)| *id == organization) {
            let scope = store.scope(Actor::operator(organization), clock::now());
            match entry {
                Entry::Erasure(erasure) => {
                    let tx = scope.begin().await?;
                    let is_new = tx.repeat_erasure(erasure).await?;
                    tx.commit().await?;
                    count += usize::from(is_new);
                }
                Entry::Deletion(deletion) => {
                    let tx = scope.begin().await?;
                    let is_new = tx.repeat_deletion(deletion).await?;
                    tx.commit().await?;
                    count += usize::from(is_new);
                }
                Entry::Part(part) => {
                    let mut from = 0;
                    loop {
                        let tx = scope.begin().await?;
                        let left = tx.erase_part_again(part, from).await?;
                        tx.commit().await?;
                        if left == 0 {
                            break;
                        }
                        from += store::STEP;
                    }
                }
            }
        }
        if (place + 1) % 100 == 0 {
            tell(&format!("{} of {} lines", place + 1, erased.len()));
        }
    }
    Ok(count)
}

/// Begins another epoch of the change feed in each organization, so that whoever has read changes that the backup lacks
/// is told to read everything again.
async fn begin_epochs(store: &Store) -> Result<()> {
    for (organization, _) in store.organizations().await? {
        let tx = store.scope(Actor::operator(organization), clock::now()).begin().await?;
        tx.begin_epoch().await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Returns one line per erasure of an organization.
async fn list(settings: &Settings, slug: &str) -> Result<String> {
    let scope = operator(settings, slug).await?;
    let people: Vec<Uuid> = scope.erasures(None).await?.iter().filter_map(Entry::person).collect();
    let mut extents: Vec<_> = scope.erasure_extents(&people).await?.into_iter().collect();
    extents.sort_unstable_by_key(|(person, extent)| (extent.erased_at, *person));
    let time = |millis| {
        DateTime::from_timestamp_millis(millis).unwrap_or_default().to_rfc3339_opts(SecondsFormat::AutoSi, true)
    };
    let line = |(person, extent): (Uuid, Extent)| {
        let id = id::encode(PERSON.prefix, person);
        let state = extent.done_at.map_or_else(|| "in progress".to_owned(), |at| format!("done {}", time(at)));
        format!("{id}\t{}\t{} rows\t{state}\n", time(extent.erased_at), extent.rows)
    };
    Ok(extents.into_iter().map(line).collect())
}

/// Appends `end` to the file name.
fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(end);
    name.into()
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let (mut from, size) = (File::open(from)?, fs::metadata(from)?.len());
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    let (mut done, mut reported, mut buffer) = (0, 0, vec![0; 1 << 20]);
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(to.sync_all()?);
        }
        to.write_all(&buffer[..read])?;
        done += read;
        if done - reported >= STEP {
            reported = done;
            tell(&format!("{} of {} MiB", done >> 20, size >> 20));
        }
    }
}

fn sync_folder(file: &Path) -> Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(File::open(folder)?.sync_all()?)
}

/// Logs the progress of a long command; standard output is for its result.
fn tell(progress: &str) {
    tracing::info!("{progress}");
}
