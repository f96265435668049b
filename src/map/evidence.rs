//! Evidence that supports elements of the map.

use chrono::TimeDelta;
use entity::{
    Noun, Tenanted,
    evidence::{EvidenceKind, GATHERED_ON, KIND, NOUN, SAMPLE_SIZE},
    kind::Date,
    noun::StringEnum,
};
use sea_orm::prelude::Uuid;

use crate::{
    Error, Result,
    error::Code,
    graphql::{
        slice::{Computed, Module},
        typed::fields::{ByRow, ComputedFn},
    },
    store::{
        Scope, Tx,
        writing::{draft::Draft, write::Hooks},
    },
};

entity::string_enum! {
    /// Kinds of evidence that support an element.
    EvidenceLevel as "EvidenceLevel" {
        /// There is no evidence.
        None = "NONE",
        /// Qualitative evidence only.
        Qualitative = "QUALITATIVE",
        /// Quantitative evidence only.
        Quantitative = "QUANTITATIVE",
        /// Evidence of both kinds.
        Both = "BOTH",
    }
}

/// GraphQL module of evidence.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| {
            Box::pin(async {
                check(tx, drafts);
                Ok(())
            })
        },
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};

/// Returns the GraphQL module of a noun that evidence can support. The noun must have the relation
/// `entity::evidence::behind`.
pub const fn backed<E: Tenanted>() -> Module {
    Module { computed: const { &[level::<E>()] }, ..Module::new(E::NOUN) }
}

/// Returns the computed field `evidenceLevel`: the kinds of evidence that support an element.
pub const fn level<E: Tenanted>() -> Computed {
    Computed {
        name: "evidenceLevel",
        doc: "Kinds of evidence that support it. Archived evidence does not count.",
        run: const { &ComputedFn::new(|scope, (), ids| Box::pin(levels(scope, E::NOUN, ids))) },
    }
}

async fn levels(scope: &Scope, noun: &'static Noun, ids: &[Uuid]) -> Result<ByRow<EvidenceLevel>> {
    let relation = noun.relation("evidence").ok_or_else(|| Error::internal("this noun has no evidence"))?;
    let kinds = scope.values_among(relation, "kind", ids).await?;
    let level = |id: &Uuid| {
        let has = |kind: EvidenceKind| {
            kinds.get(id).is_some_and(|kinds| kinds.iter().any(|known| known.text() == Some(kind.name())))
        };
        match (has(EvidenceKind::Qualitative), has(EvidenceKind::Quantitative)) {
            (false, false) => EvidenceLevel::None,
            (true, false) => EvidenceLevel::Qualitative,
            (false, true) => EvidenceLevel::Quantitative,
            (true, true) => EvidenceLevel::Both,
        }
    };
    Ok(ids.iter().map(|id| (*id, level(id))).collect())
}

fn check(tx: &Tx, drafts: &mut [Draft]) {
    // UTC+14 is the time zone in which a calendar day begins first.
    let newest = Date::of((tx.now() + TimeDelta::hours(14)).date_naive());
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        let is_quantitative = draft.get(KIND) == Some(EvidenceKind::Quantitative);
        if is_quantitative && draft.get(SAMPLE_SIZE).is_none() {
            draft.refuse(Code::Required, "sampleSize", "quantitative evidence requires a sample size");
        }
        if draft.gives(GATHERED_ON) && draft.get(GATHERED_ON).is_some_and(|day| day > newest) {
            draft.refuse(Code::OutOfRange, "gatheredOn", "gatheredOn must not be in the future");
        }
    }
}
