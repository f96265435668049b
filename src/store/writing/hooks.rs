//! What a slice says about its noun's rows that the description cannot: checks, and what they are parts of.

use entity::noun::{Link, Noun, Relationship};
use futures_util::future::BoxFuture;

use super::{draft::Draft, write::NewRow};
use crate::{
    Result,
    error::UserError,
    store::{Tx, statement::cell::Record},
};

/// Rules of a noun that its description cannot say. They see all rows of one call at once.
#[derive(Clone, Copy, Debug)]
pub struct Hooks {
    /// Completes and checks drafts before they are written.
    pub prepare: for<'a> fn(&'a Tx, &'a mut [Draft]) -> BoxFuture<'a, Result<()>>,
    /// Does what else a transition is to do, once the rows of the drafts with one have been written. It may note mistakes;
    /// the caller then rolls back.
    pub transitioned: for<'a> fn(&'a Tx, &'a mut [Draft]) -> BoxFuture<'a, Result<()>>,
    /// Says what is wrong with archiving these rows, if anything.
    pub archive: for<'a> fn(&'a Tx, &'a Record) -> BoxFuture<'a, Result<Option<UserError>>>,
    /// Columns that change when a row goes into the archive, or comes out.
    pub archiving: for<'a> fn(&'a Tx, &'a Record, bool) -> BoxFuture<'a, Result<NewRow>>,
    /// Does what else is to be done when a row has been deleted.
    pub deleted: for<'a> fn(&'a Tx, &'a Record) -> BoxFuture<'a, Result<()>>,
    /// What its rows are parts of.
    pub child_of: Option<ChildOf>,
}

impl Hooks {
    /// No rules beyond the description.
    pub const NONE: Self = Self {
        prepare: |_, _| Box::pin(async { Ok(()) }),
        transitioned: |_, _| Box::pin(async { Ok(()) }),
        archive: |_, _| Box::pin(async { Ok(None) }),
        archiving: |_, _, _| Box::pin(async { Ok(Vec::new()) }),
        deleted: |_, _| Box::pin(async { Ok(()) }),
        child_of: None,
    };
}

/// Says that a noun's rows are parts of one row of another noun, their whole. Whoever makes, changes or deletes parts
/// locks the whole first, so that changes of its structure come one after the other and rules see all of it.
#[derive(Clone, Copy, Debug)]
pub struct ChildOf {
    /// The relation to the whole; it stays as it was made.
    pub relation: &'static str,
    /// The column of their place in the whole, if they have an order: from 1, without gaps.
    pub position: Option<&'static str>,
    /// Most parts of one whole.
    pub most: usize,
}

impl ChildOf {
    /// The relation to the whole.
    pub fn relation(&self, noun: &'static Noun) -> &'static Relationship {
        noun.relation(self.relation).expect("parts have a relation to their whole")
    }

    /// The column that names the whole.
    pub fn column(&self, noun: &'static Noun) -> &'static str {
        match self.relation(noun).link {
            Link::One { column, .. } => column,
            _ => unreachable!("a part names its whole"),
        }
    }
}
