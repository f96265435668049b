//! The `audit` commands: verify the hash chain of the audit log, and print its heads for storing them elsewhere.

use std::{fmt::Write as _, path::Path};

use anyhow::{Context, Result, bail, ensure};
use entity::id::OrganizationId;

use super::open;
use crate::{
    config::{AuditCommand, AuditRequest, Settings},
    store::{Store, audit::Head},
};

/// Runs an `audit` command.
pub async fn audit(settings: &Settings, command: &AuditCommand) -> Result<String> {
    let store = open(settings).await?;
    match command {
        AuditCommand::Head { organization } => {
            let mut output = String::new();
            for (id, slug) in organizations(&store, organization.as_deref()).await? {
                if let Some(head) = store.audit_head(id).await? {
                    writeln!(output, "{}", line(&slug, &head))?;
                }
            }
            Ok(output)
        }
        AuditCommand::Verify(request) => verify(&store, request).await,
    }
}

async fn verify(store: &Store, request: &AuditRequest) -> Result<String> {
    let organizations = organizations(store, request.organization.as_deref()).await?;
    let mut kept = request.head.as_deref().map(|given| heads(given, request.organization.as_deref())).transpose()?;
    let (mut output, mut failures) = (String::new(), Vec::new());
    for (id, slug) in organizations {
        let mut own = Vec::new();
        if let Some(kept) = &mut kept {
            own = kept.extract_if(.., |(known, _)| *known == slug).map(|(_, head)| head).collect();
        }
        match store.verify(id, own, request.kept_from).await? {
            Err(failure) => failures.push(format!("{slug}: {failure}")),
            Ok(verdict) => {
                let head = verdict.head.map_or_else(String::new, |head| format!(", head {}", line("", &head).trim()));
                writeln!(
                    output,
                    "{slug}: {} events match their seals, {} are not sealed yet{head}",
                    verdict.sealed, verdict.unsealed
                )?;
            }
        }
    }
    if request.organization.is_none() {
        let gone = kept.iter().flatten().map(|(slug, _)| format!("{slug}: no such organization"));
        failures.extend(gone);
    }
    if failures.is_empty() { Ok(output) } else { bail!("{}", failures.join("; ")) }
}

/// Returns the organization with that slug, or all organizations.
async fn organizations(store: &Store, slug: Option<&str>) -> Result<Vec<(OrganizationId, String)>> {
    let Some(slug) = slug else { return Ok(store.organizations().await?) };
    let id = store.organization_by_slug(slug).await?.with_context(|| format!("no organization {slug}"))?;
    Ok(vec![(id, slug.to_owned())])
}

/// Formats a head as one line; [`heads`] parses it.
fn line(slug: &str, head: &Head) -> String {
    format!("{slug} {} {}", head.sequence.unwrap_or_default(), head.hash)
}

/// Parses the stored heads: one hash of the named organization, or the lines of a file.
fn heads(given: &str, organization: Option<&str>) -> Result<Vec<(String, Head)>> {
    if given.len() == 64 && given.bytes().all(|sign| sign.is_ascii_hexdigit()) {
        let slug = organization.context("--head with a hash requires --organization")?;
        return Ok(vec![(slug.to_owned(), Head { sequence: None, hash: given.to_ascii_lowercase() })]);
    }
    let text = crate::text::read_file(Path::new(given)).with_context(|| format!("cannot read --head {given}"))?;
    let read = |line: &str| {
        let [slug, sequence, hash] = line.split_whitespace().collect::<Vec<_>>()[..] else { return None };
        let sequence = Some(sequence.parse().ok()?);
        Some((slug.to_owned(), Head { sequence, hash: hash.to_owned() }))
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let read = |line: &str| read(line).with_context(|| format!("--head {given} contains a line that is not a head"));
    let heads: Vec<_> = lines.map(read).collect::<Result<_>>()?;
    ensure!(!heads.is_empty(), "--head {given} contains no head");
    Ok(heads)
}
