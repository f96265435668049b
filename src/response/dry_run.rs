//! The query `routingDryRun`: what another set of rules would do with feedback that was received, without writing.

use std::{collections::HashMap, sync::Arc};

use entity::{
    Permission, department,
    feedback_record::{
        self, BODY, KIND, MEDIUM_ID, NOUN, POINT_ID, PRODUCT, RECEIVED_AT, SENTIMENT, SENTIMENT_SCORE, TAGS,
    },
    id::{DepartmentId, FeedbackRecordId},
    routing_rule::{self, Model as Rule, WORDS},
};
use sea_orm::prelude::Uuid;

use super::{
    routing::{Router, candidate, fallback, kinds_of},
    routing_rule::check_filter,
    rule_filters::rule_filters,
    rules::{Candidate, decide},
};
use crate::{
    Error, Result,
    graphql::{
        planning::stored_filter,
        slice::Query,
        typed::{
            fields::QueryFn,
            input::{FilterOf, Input, NewOf},
            output::Output,
        },
    },
    store::{
        Scope,
        paging::page::{PageQuery, Selection, Term, by_id},
        statement::{
            cell::{Cell, Column, Record, column_named},
            template::PlanSize,
        },
    },
};

/// Maximum number of rules to try.
const RULES: usize = 500;
/// Number of records that are read and judged together.
const BATCH: usize = 500;
/// The words of a rule without words.
const NONE: &str = "[]";
/// Number of records shown of each move.
const EXAMPLES: usize = 3;

/// The query `routingDryRun`.
pub const DRY_RUN: Query = Query {
    name: "routingDryRun",
    doc: "What a changed set of routing rules would move: compares, for feedback that was received, the department that the \
          current rules choose with the one that the given rules choose. Nothing is written.",
    permissions: &[Permission::MapRead, Permission::RecordRead, Permission::ResponseRead],
    run: &QueryFn::new(|scope, arguments| Box::pin(dry_run(scope, arguments))),
};

/// The rules to try, and on what.
#[derive(Input)]
struct DryRunArguments {
    /// The complete set of rules to try, at most 500, instead of all current ones. Rules with words need
    /// `customers:read`: they look into what customers said.
    #[input(most = RULES)]
    rules: Vec<NewOf<routing_rule::Entity>>,
    /// How many feedback records are tried, those received last, 1 to 10,000.
    #[input(default = 1_000, range = 1..=10_000)]
    last: i64,
    /// Only records that meet this filter are tried, for example those received in a range of time.
    filter: FilterOf<feedback_record::Entity>,
}

/// What a changed set of routing rules would move.
#[derive(Output)]
#[output(read = ResponseRead)]
struct RoutingDryRun {
    /// Number of feedback records that were tried.
    tried: i64,
    /// Number of them that would go to another department.
    moved: i64,
    /// From where to where they would move, most first.
    moves: Vec<RoutingMove>,
}

/// Feedback that would move from one department to another.
#[derive(Output)]
#[output(read = ResponseRead)]
struct RoutingMove {
    /// Department that the current rules choose.
    from_id: DepartmentId,
    /// Department that the given rules choose.
    to_id: DepartmentId,
    /// Number of feedback records that would move so.
    count: i64,
    /// Up to three of them, those received last first.
    examples: Vec<RoutingMoveExample>,
}

/// Feedback that would move.
#[derive(Clone, Output)]
#[output(read = ResponseRead)]
struct RoutingMoveExample {
    /// The feedback record.
    feedback_record_id: FeedbackRecordId,
    /// Why the current rules choose their department.
    current_reason: String,
    /// Why the given rules choose theirs.
    tried_reason: String,
}

async fn dry_run(scope: &Scope, arguments: DryRunArguments) -> Result<RoutingDryRun> {
    let router = Router::open(scope, &[]).await?;
    let fallback = fallback(scope).await?;
    let (current, tried) = (router.rules, Arc::new(rules(scope, arguments.rules).await?));
    let now_filters = rule_filters(scope, &current).await?;
    let then_filters = rule_filters(scope, &tried).await?;
    let shown: [Column; 10] = [
        column_named(&NOUN, "id"),
        RECEIVED_AT.into(),
        KIND.into(),
        SENTIMENT.into(),
        SENTIMENT_SCORE.into(),
        PRODUCT.into(),
        TAGS.into(),
        BODY.into(),
        POINT_ID.into(),
        MEDIUM_ID.into(),
    ];
    let selection = Selection::new(&NOUN, shown.to_vec(), Vec::new(), &PlanSize::default());
    let order = vec![Term::new(RECEIVED_AT.into(), true), by_id(true)];
    let filter = arguments.filter.predicate(scope)?;
    let mut query =
        PageQuery { filter, order, after: None, before: None, limit: 0, looks_ahead: false, is_backward: false };
    let mut left = usize::try_from(arguments.last).unwrap_or_default();
    let mut moves: HashMap<(Uuid, Uuid), RoutingMove> = HashMap::new();
    let mut count = 0;
    while left > 0 {
        query.limit = left.min(BATCH);
        let page = scope.page(&selection, &query).await?;
        let found = page.rows.len();
        left -= found.min(left);
        let record = |row: Vec<Cell>| Record { cells: shown.into_iter().zip(row).collect(), before: Vec::new() };
        let page: Vec<Record> = page.rows.into_iter().map(record).collect();
        let Some(last) = page.last() else { break };
        query.after = Some(vec![last.cell(RECEIVED_AT.name()).clone(), Cell::Id(last.id())]);
        let ids: Vec<Uuid> = page.iter().map(Record::id).collect();
        let points: Vec<Uuid> = page.iter().filter_map(|record| record.cell(POINT_ID.name()).id()).collect();
        let mut met_now = now_filters.met_by_stored(scope, &NOUN, &ids).await?;
        let mut met_then = then_filters.met_by_stored(scope, &NOUN, &ids).await?;
        let kinds = kinds_of(scope, &points).await?;
        let mut records = Vec::with_capacity(found);
        for record in page {
            let id = record.id();
            let mut now = candidate(met_now.remove(&id).unwrap_or_default(), |column| record.cell(column));
            now.point_kind = now.point.and_then(|point| kinds.get(&point).copied());
            let then = Candidate { met: met_then.remove(&id).unwrap_or_default(), ..now.clone() };
            records.push((id, now, then));
        }
        let (now, then) = (Arc::clone(&current), Arc::clone(&tried));
        let decided = scope
            .compute(true, move |computation| {
                let mut decided = Vec::with_capacity(records.len());
                for (id, by_current, by_tried) in records {
                    computation.check()?;
                    let or_fallback = |decision: Option<_>| decision.unwrap_or_else(|| fallback.decision());
                    decided.push((id, or_fallback(decide(&now, &by_current)), or_fallback(decide(&then, &by_tried))));
                }
                Ok(decided)
            })
            .await?;
        count += decided.len();
        for (id, now, then) in decided.into_iter().filter(|(_, now, then)| now.department != then.department) {
            let key = (now.department, then.department);
            let known = moves.entry(key).or_insert_with(|| RoutingMove {
                from_id: key.0.into(),
                to_id: key.1.into(),
                count: 0,
                examples: Vec::new(),
            });
            known.count += 1;
            if known.examples.len() < EXAMPLES {
                let (current_reason, tried_reason) = (now.reason, then.reason);
                known.examples.push(RoutingMoveExample { feedback_record_id: id.into(), current_reason, tried_reason });
            }
        }
        if found < query.limit {
            break;
        }
    }
    let mut moves: Vec<RoutingMove> = moves.into_values().collect();
    moves.sort_by_key(|known| (-known.count, known.from_id.0, known.to_id.0));
    let tried = i64::try_from(count).unwrap_or(i64::MAX);
    Ok(RoutingDryRun { tried, moved: moves.iter().map(|known| known.count).sum(), moves })
}

/// Returns the given rules as they would be stored, in the order in which they would be evaluated.
async fn rules(scope: &Scope, given: Vec<NewOf<routing_rule::Entity>>) -> Result<Vec<Rule>> {
    let mut drafts: Vec<_> = given.into_iter().map(|rule| rule.draft).collect();
    // Otherwise the examples would tell which records contain a word to callers who may not read them.
    if drafts.iter().any(|draft| draft.get(WORDS).is_some_and(|words| words != NONE)) {
        scope.actor().require(Permission::CustomersRead)?;
    }
    scope.complete_new(&mut drafts).await?;
    stored_filter::check_drafts(scope, drafts.iter_mut().collect()).await?;
    let mut rules = Vec::with_capacity(drafts.len());
    for (place, draft) in drafts.iter_mut().enumerate() {
        check_filter(scope, draft).await?;
        if let Some(mistake) = draft.errors.first() {
            return Err(Error::BadInput(format!("rules.{place}.{}: {}", mistake.path.join("."), mistake.message)));
        }
        rules.push(scope.model::<routing_rule::Entity>(draft)?);
    }
    let departments: Vec<Uuid> = rules.iter().map(|rule| rule.department_id.0).collect();
    if !departments.is_empty() && !scope.archived_among(&department::NOUN, &departments).await?.is_empty() {
        return Err(Error::BadInput("rules: no rule can route to an archived department".to_owned()));
    }
    rules.sort_by_key(|rule| rule.position);
    Ok(rules)
}
