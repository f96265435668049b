//! The deletion of an organization by its own admins.

use entity::{
    Permission,
    organization::{NOUN, SLUG},
};

use crate::{
    Result, UserError,
    error::Code,
    graphql::{
        slice::{Done, Mutation, Report},
        typed::{fields::MutationFn, input::Input, output::Output},
    },
    store::{
        Tx,
        writing::draft::{Outcome, Reference},
    },
};

/// The mutation `organizationDelete`.
pub const DELETE: Mutation = Mutation {
    name: "organizationDelete",
    doc: "Permanently deletes the organization of the token with everything in it: rows of all types, API clients, \
          audit log. The organization is closed when this mutation returns: its tokens, including this one, are \
          refused with UNAUTHENTICATED, within 10 seconds by every server. Its rows are then removed in the \
          background. This cannot be undone: make a dry run and an export first.",
    permissions: &[Permission::Admin],
    run: &MutationFn::new(|tx, input| Box::pin(delete(tx, input))),
};

/// Which organization to delete.
#[derive(Input)]
struct OrganizationDelete {
    /// The slug of the organization of the token, against mistakes; INVALID if it is another.
    slug: String,
    /// Whether to make a dry run: `deletionCounts` reports what would be removed, and nothing changes.
    #[input(default)]
    dry_run: bool,
}

/// The payload list `deletionCounts`.
pub const REPORT: Report = Report::of::<OrganizationDeletionCount>(
    "deletionCounts",
    "Rows that organizationDelete would remove, by type, in a dry run. Empty otherwise.",
);

/// Number of rows of a type that a deletion of the organization would remove.
#[derive(Output)]
struct OrganizationDeletionCount {
    /// The type, for example `InteractionPoint`.
    r#type: String,
    /// Number of rows, at least 1.
    row_count: i64,
}

async fn delete(tx: &Tx, input: &OrganizationDelete) -> Result<Done> {
    let id = tx.organization().0;
    let organization = match tx.lock_one(&NOUN, NOUN.write, &Reference::Id(Some(id)), None).await? {
        Ok(organization) => organization,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    if organization.get(SLUG).as_ref() != Some(&input.slug) {
        let message = "this is not the slug of the token's organization; nothing was deleted";
        return Ok(Err(vec![UserError::new(Code::Invalid, "slug", message)]));
    }
    if !input.dry_run {
        let outcome = if tx.delete_organization().await? { Outcome::Deleted } else { Outcome::Unchanged };
        return Ok(Ok((id, outcome)));
    }
    tx.set_dry_run();
    let row =
        |(noun, row_count): (&entity::Noun, i64)| OrganizationDeletionCount { r#type: noun.name.to_owned(), row_count };
    let counts = tx.row_counts().await?;
    tx.add_report(REPORT.name, counts.into_iter().map(row).map(|row| row.object().cells).collect());
    Ok(Ok((id, Outcome::Deleted)))
}
