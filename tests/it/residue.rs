//! Bytes that are left in the files of a database.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::database::Database;

/// The texts, also as they are folded for search, that stand in any file of the database.
pub async fn residue(database: &Database, texts: &[String]) -> BTreeSet<String> {
    let lower = texts.iter().map(|text| text.to_lowercase());
    let texts: BTreeSet<String> = texts.iter().cloned().chain(lower).collect();
    let Some(folder) = database.folder() else { return of_relations(database, &texts).await };
    let files: Vec<String> = files(folder).map(|path| lossy(&std::fs::read(path).unwrap())).collect();
    texts.into_iter().filter(|text| files.iter().any(|file| file.contains(text))).collect()
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
}

/// Bytes as text, in which texts are found fast: whatever is no text between them is replaced.
fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The files of a folder that hold a text.
pub fn holders(folder: &Path, text: &str) -> Vec<String> {
    let holds = |path: &PathBuf| contains(&std::fs::read(path).unwrap(), text);
    files(folder).filter(holds).map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

pub fn contains(bytes: &[u8], text: &str) -> bool {
    lossy(bytes).contains(text)
}

/// Tables, indexes, TOAST and catalogs, as they lie on the server's disk.
async fn of_relations(database: &Database, texts: &BTreeSet<String>) -> BTreeSet<String> {
    database.change("CHECKPOINT").await;
    let wanted: Vec<String> = texts.iter().map(|text| format!("('{text}')")).collect();
    let sql = format!(
        "WITH f AS MATERIALIZED (SELECT pg_read_binary_file(pg_relation_filepath(oid), 0, pg_relation_size(oid), true) AS bytes FROM pg_class
             WHERE relkind IN ('r', 'i', 't', 'm') AND pg_relation_filepath(oid) IS NOT NULL AND NOT relisshared)
         SELECT DISTINCT w.text FROM (VALUES {}) AS w(text) JOIN f
             ON position(convert_to(w.text, 'UTF8') IN f.bytes) > 0",
        wanted.join(", ")
    );
    database.look(sql).await.into_iter().flatten().flatten().collect()
}
