//! Caches the plans of documents, so that a repeated request is not planned again.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use entity::Permissions;
use metrics::{Counter, counter};
use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};

use super::{
    arguments::{Given, Notes, Unread},
    plan::{ConnectionPlan, RowPlan},
};
use crate::{Error, Result, graphql::mutation::payload::Payload, store::statement::template::PlanSize};

/// Maximum memory for cached plans, in bytes.
const MAX: u64 = 32 << 20;
/// Memory of a plan besides its fields and statements, in bytes.
const EMPTY: usize = 1_024;
/// Number of shards of the cache.
const SHARDS: usize = 4;

/// The plan of a root field: what to read, and how to answer.
#[derive(Debug)]
pub struct FieldPlan {
    tree: Tree,
    unread: Unread,
    size: PlanSize,
}

/// The fields below a root field.
#[derive(Debug)]
pub enum Tree {
    /// Objects.
    Row(RowPlan),
    /// A list.
    List(ConnectionPlan),
    /// The payload of a mutation.
    Payload(Payload),
}

/// A plan with the arguments of one request.
#[derive(Debug)]
pub struct Planned {
    plan: Arc<FieldPlan>,
    /// The size with which the plan is cached.
    cached: Option<usize>,
    /// Whether the plan may be cached.
    is_for_all: bool,
    /// The arguments that the document does not fix.
    pub given: Given,
}

impl Planned {
    /// Returns a compiled plan for the request for which it was compiled.
    pub fn new(tree: Tree, notes: Notes) -> Self {
        let is_for_all = notes.is_for_all();
        let (unread, given, size) = notes.into_parts();
        Self { plan: Arc::new(FieldPlan { tree, unread, size }), cached: None, is_for_all, given }
    }

    /// Returns the plan of objects.
    pub fn row(&self) -> Result<&RowPlan> {
        if let Tree::Row(plan) = &self.plan.tree { Ok(plan) } else { Err(misplaced()) }
    }

    /// Returns the plan of a list.
    pub fn list(&self) -> Result<&ConnectionPlan> {
        if let Tree::List(plan) = &self.plan.tree { Ok(plan) } else { Err(misplaced()) }
    }

    /// Returns the plan of a payload.
    pub fn payload(&self) -> Result<&Payload> {
        if let Tree::Payload(plan) = &self.plan.tree { Ok(plan) } else { Err(misplaced()) }
    }
}

fn misplaced() -> Error {
    Error::internal("a root field has the plan of another one")
}

/// Everything that determines a plan. The organization does not: it is bound when a statement runs.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub struct PlanKey {
    /// The document and the operation.
    pub document: u64,
    /// The index of the root field in the operation.
    pub field: usize,
    /// The table of the noun whose rows are shown, for a field that shows several nouns.
    pub noun: Option<&'static str>,
    /// The caller's permissions. Tokens that narrow a caller further are refused.
    pub permissions: Permissions,
    /// Whether statements are written for PostgreSQL.
    pub is_postgres: bool,
}

/// The plans of cached documents, and their statements. Plans requested only once are evicted first.
pub struct PlanCache {
    known: Cache<PlanKey, (Arc<FieldPlan>, usize), Size>,
    next: AtomicU64,
    hits: Counter,
    misses: Counter,
}

#[derive(Clone, Copy)]
struct Size;

impl Weighter<PlanKey, (Arc<FieldPlan>, usize)> for Size {
    fn weight(&self, _: &PlanKey, (_, bytes): &(Arc<FieldPlan>, usize)) -> u64 {
        (EMPTY + bytes) as u64
    }
}

impl Default for PlanCache {
    fn default() -> Self {
        let mut options = OptionsBuilder::new();
        options.shards(SHARDS).weight_capacity(MAX).estimated_items_capacity(4_096);
        let options = options.build().expect("both capacities are given");
        Self {
            known: Cache::with_options(options, Size, DefaultHashBuilder::default(), DefaultLifecycle::default()),
            next: AtomicU64::new(0),
            hits: counter!("rapport_plan_cache_total", "result" => "hit"),
            misses: counter!("rapport_plan_cache_total", "result" => "miss"),
        }
    }
}

impl fmt::Debug for PlanCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanCache").finish_non_exhaustive()
    }
}

/// The plans of one cached document.
#[derive(Clone, Debug)]
pub struct DocumentPlans {
    all: Arc<PlanCache>,
    document: u64,
}

impl DocumentPlans {
    /// Returns a place for the plans of another document.
    pub fn new(all: &Arc<PlanCache>) -> Self {
        Self { all: Arc::clone(all), document: all.next.fetch_add(1, Ordering::Relaxed) }
    }

    /// Returns the number of this document.
    pub fn document(&self) -> u64 {
        self.document
    }

    /// Returns the cached plan with the arguments that `read` reads, or `None` if there is none or reading fails: what
    /// a refused argument does to the response is decided by compiling the plan again.
    pub fn get(&self, key: &PlanKey, read: impl FnOnce(&Unread) -> Result<Given>) -> Option<Planned> {
        let known = self.all.known.get(key).and_then(|(plan, bytes)| {
            let given = read(&plan.unread).ok()?;
            Some(Planned { plan, cached: Some(bytes), is_for_all: true, given })
        });
        if known.is_some() { &self.all.hits } else { &self.all.misses }.increment(1);
        known
    }

    /// Caches a plan that has run, unless it is for its request only or is cached with all its statements.
    pub fn keep(&self, key: PlanKey, planned: &Planned) {
        let bytes = planned.plan.size.bytes();
        if planned.is_for_all && planned.cached != Some(bytes) {
            self.all.known.insert(key, (Arc::clone(&planned.plan), bytes));
        }
    }
}
