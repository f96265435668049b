//! Routing rules: what a rule may say.

use entity::{feedback_record, routing_rule};

use super::rule_filters::{given_condition, mistakes};
use crate::{
    Result,
    error::Code,
    graphql::{
        slice::{Computed, Module},
        typed::fields::ComputedFn,
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
        run: &ComputedFn::new(|scope, (), ids| {
            Box::pin(mistakes(scope, (routing_rule::ID, routing_rule::FILTER), &feedback_record::NOUN, ids))
        }),
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
    let Some(condition) = given_condition(scope, rule, routing_rule::FILTER, &feedback_record::NOUN).await? else {
        return Ok(());
    };
    let decided = [feedback_record::DEPARTMENT_ID.name(), feedback_record::PRIORITY.name()];
    if decided.iter().any(|column| condition.asks_for(column)) {
        rule.refuse(Code::Invalid, "filter", "the department and the priority are decided by the rules");
    }
    Ok(())
}
