//! `documents`: stores trusted documents, and checks those that are stored.

use anyhow::{Context, Result, bail};

use super::{commit, operator};
use crate::{
    config::{DocumentsCommand, Settings},
    exchange::documents,
    graphql::types::schema_index::SchemaIndex,
    schema,
};

/// Runs a command on trusted documents.
pub async fn documents(settings: &Settings, command: &DocumentsCommand) -> Result<String> {
    let schema_index = SchemaIndex::read(&schema::build().sdl())?;
    match command {
        DocumentsCommand::Push { organization, file } => {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            let manifest = documents::read_file(&text, &schema_index)?;
            let tx = operator(settings, organization).await?.begin().await?;
            let pushed = match manifest {
                Ok(documents) => documents::push_read(&tx, &documents).await?,
                Err(mistakes) => Err(mistakes),
            };
            let (new, known) = commit(tx, pushed).await?;
            Ok(format!("{new} documents stored, {known} were stored before\n"))
        }
        DocumentsCommand::Check { organization } => {
            let broken = documents::broken(&operator(settings, organization).await?, &schema_index).await?;
            if broken.is_empty() {
                return Ok("all documents fit the schema\n".to_owned());
            }
            let line = |(name, id, mistake): &(String, String, String)| format!("{name} ({id}): {mistake}");
            bail!(
                "{} documents do not fit the schema:\n{}",
                broken.len(),
                broken.iter().map(line).collect::<Vec<_>>().join("\n")
            )
        }
    }
}
