//! Routing rules: what a rule may say.

use entity::{feedback_record, routing_rule};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    error::Code,
    graphql::{
        planning::stored_filter::{condition, mistake},
        slice::{Computed, Module},
        typed::fields::{ByRow, ComputedFn},
    },
    store::{
        Connection, Scope, Tx,
        writing::{draft::Draft, write::Hooks},
    },
};

/// GraphQL module of routing rules.
pub const SLICE: Module = Module {
    rules: Hooks { prepare: |tx, drafts| Box::pin(check(tx, drafts)), ..Hooks::NONE },
    computed: &[Computed {
        name: "filterMistake",
        doc: "Why the filter is broken, so that the rule matches nothing: what it asks for no longer exists, or needs a scope \
              that whoever saved it lacked. Null if it is not broken.",
        run: &ComputedFn::new(|scope, (), ids| Box::pin(mistakes(scope, ids))),
    }],
    ..Module::new(&routing_rule::NOUN)
};

async fn check(tx: &Tx, rules: &mut [Draft]) -> Result<()> {
    for rule in rules {
        check_range(rule);
        check_filter(tx, rule).await?;
    }
    Ok(())
}

fn check_range(rule: &mut Draft) {
    if let Some((from, to)) = rule.get(routing_rule::SCORE_FROM).zip(rule.get(routing_rule::SCORE_TO))
        && from > to
    {
        rule.refuse(Code::OutOfRange, "scoreTo", "scoreTo must not be less than scoreFrom");
    }
}

/// Refuses a filter that cannot be answered for a record before it is stored and routed.
pub(super) async fn check_filter<C: Connection>(scope: &Scope<C>, rule: &mut Draft) -> Result<()> {
    let is_given = rule.errors.is_empty() && rule.gives(routing_rule::FILTER);
    let Some(filter) = rule.get(routing_rule::FILTER).filter(|_| is_given) else { return Ok(()) };
    let condition = condition(scope, &feedback_record::NOUN, &filter).await?;
    let decided = [feedback_record::DEPARTMENT_ID.name(), feedback_record::PRIORITY.name()];
    if let Some(relation) = condition.relation_to_many() {
        rule.refuse(Code::Invalid, "filter", format!("{} are not known before a record is routed", relation.name));
    } else if decided.iter().any(|column| condition.asks_for(column)) {
        rule.refuse(Code::Invalid, "filter", "the department and the priority are decided by the rules");
    }
    Ok(())
}

async fn mistakes(scope: &Scope, ids: &[Uuid]) -> Result<ByRow<Option<String>>> {
    let mut found = ByRow::new();
    for (id, filter) in scope.select_by_ids((routing_rule::ID, routing_rule::FILTER), ids).await? {
        let Some(filter) = filter else { continue };
        found.insert(id.into(), mistake(scope, &feedback_record::NOUN, &filter).await?);
    }
    Ok(found)
}
