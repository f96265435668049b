//! Rules for the rows of a noun that its description cannot express: checks, and the parent whose parts they are.

use std::collections::HashMap;

use entity::noun::{Link, Noun, Relationship};
use futures_util::future::BoxFuture;
use sea_orm::prelude::Uuid;

use super::draft::Draft;
use crate::{
    Result,
    error::UserError,
    store::{Tx, statement::cell::Record},
};

/// Errors of rows, by id.
pub type RowErrors = HashMap<Uuid, UserError>;

/// Rules of a noun that its description cannot express. They receive all rows of one call at once.
#[derive(Clone, Copy, Debug)]
pub struct Hooks {
    /// Completes and checks drafts before they are written.
    pub prepare: for<'a> fn(&'a Tx, &'a mut [Draft]) -> BoxFuture<'a, Result<()>>,
    /// Performs the other effects of what was written: drafts without errors were, the others were not. May add errors;
    /// the caller then rolls back.
    pub written: for<'a> fn(&'a Tx, &'a mut [Draft]) -> BoxFuture<'a, Result<()>>,
    /// Performs the other effects of a list of rows that has replaced that of a relation of a row.
    pub relinked: for<'a> fn(&'a Tx, &'static Relationship, Uuid) -> BoxFuture<'a, Result<()>>,
    /// Returns an error for each row that cannot be archived, by id.
    pub archive: for<'a> fn(&'a Tx, &'a [Record]) -> BoxFuture<'a, Result<RowErrors>>,
    /// Returns an error for each row that cannot be deleted, by id. The rows are locked.
    pub delete: for<'a> fn(&'a Tx, &'a [Record]) -> BoxFuture<'a, Result<RowErrors>>,
    /// Performs the other effects of the deletion of rows.
    pub deleted: for<'a> fn(&'a Tx, &'a [Record]) -> BoxFuture<'a, Result<()>>,
    /// The parent whose parts the rows are.
    pub child_of: Option<ChildOf>,
    /// Rules that later chapters add. They run after these; they neither delete nor archive.
    pub later: &'static [Self],
}

impl Hooks {
    /// No rules beyond the description.
    pub const NONE: Self = Self {
        prepare: |_, _| Box::pin(async { Ok(()) }),
        written: |_, _| Box::pin(async { Ok(()) }),
        relinked: |_, _, _| Box::pin(async { Ok(()) }),
        archive: |_, _| Box::pin(async { Ok(RowErrors::new()) }),
        delete: |_, _| Box::pin(async { Ok(RowErrors::new()) }),
        deleted: |_, _| Box::pin(async { Ok(()) }),
        child_of: None,
        later: &[],
    };

    /// Completes and checks drafts before they are written, by these rules and those of later chapters.
    pub(super) async fn prepare_all(&self, tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
        (self.prepare)(tx, drafts).await?;
        for rules in self.later {
            (rules.prepare)(tx, drafts).await?;
        }
        Ok(())
    }

    /// Performs the other effects of what was written, by these rules and those of later chapters.
    pub(super) async fn written_all(&self, tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
        (self.written)(tx, drafts).await?;
        for rules in self.later {
            (rules.written)(tx, drafts).await?;
        }
        Ok(())
    }

    /// Performs the other effects of a replaced list of rows, by these rules and those of later chapters.
    pub async fn relinked_all(&self, tx: &Tx, relation: &'static Relationship, id: Uuid) -> Result<()> {
        let _whole = tx.for_organization();
        (self.relinked)(tx, relation, id).await?;
        for rules in self.later {
            (rules.relinked)(tx, relation, id).await?;
        }
        Ok(())
    }
}

/// Declares that each row of a noun is a part of one parent row of another noun. Code that creates, changes or deletes
/// parts locks the parent first, so that changes of its structure are serialized and rules see all parts.
#[derive(Clone, Copy, Debug)]
pub struct ChildOf {
    /// Name of the relation to the parent; the parent of a part never changes.
    pub relation: &'static str,
    /// Column of the position in the parent, if the parts are ordered: from 1, without gaps.
    pub position: Option<&'static str>,
    /// Maximum number of parts of one parent.
    pub most: usize,
}

impl ChildOf {
    /// Returns the relation to the parent.
    pub fn relation(&self, noun: &'static Noun) -> &'static Relationship {
        noun.relation(self.relation).expect("parts have a relation to their whole")
    }

    /// Returns the column that references the parent, and the column of the position.
    pub fn columns(&self, noun: &'static Noun) -> (&'static str, Option<&'static str>) {
        (self.column(noun), self.position)
    }

    /// Returns the column that references the parent.
    pub fn column(&self, noun: &'static Noun) -> &'static str {
        match self.relation(noun).link {
            Link::One { column, .. } => column,
            _ => unreachable!("a part names its whole"),
        }
    }
}
