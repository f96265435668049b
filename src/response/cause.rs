//! Causes: how many cases name them.

use entity::{
    case::{CaseStage, STAGE},
    cause::NOUN,
    noun::StringEnum as _,
};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    graphql::{
        slice::{Computed, Module},
        typed::fields::{ByRow, ComputedFn},
    },
    store::{
        Scope,
        statement::{
            cell::Cell,
            filter::{Comparison, Predicate},
            template::Templates,
        },
    },
};

/// GraphQL module of causes.
pub const SLICE: Module = Module {
    computed: &[
        Computed {
            name: "caseCount",
            doc: "Number of cases with this cause. More than one means that the cause repeats.",
            run: &ComputedFn::new(|scope, (), ids| Box::pin(count(scope, Predicate::All(Vec::new()), ids))),
        },
        Computed {
            name: "openCaseCount",
            doc: "Number of cases with this cause that are not closed.",
            run: &ComputedFn::new(|scope, (), ids| Box::pin(count(scope, is_open(), ids))),
        },
    ],
    ..Module::new(&NOUN)
};

fn is_open() -> Predicate {
    let closed = Cell::Text(CaseStage::Closed.name().to_owned());
    Predicate::Not(Box::new(Predicate::Column(STAGE.into(), Comparison::Eq(closed))))
}

async fn count(scope: &Scope, filter: Predicate, ids: &[Uuid]) -> Result<ByRow<i64>> {
    let relation = NOUN.relation("cases").expect("cases name their cause");
    let mut counts = scope.count_children(&filter, relation, ids, &Templates::default()).await?;
    Ok(ids.iter().map(|id| (*id, counts.remove(id).unwrap_or_default())).collect())
}
