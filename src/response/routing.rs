//! Routing: every new feedback record is routed to a department, and every routing decision is stored.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use entity::{
    Col, Permission,
    col::ColumnType,
    department,
    event::EventOperation,
    feedback_record::{self, Priority},
    id::{DepartmentId, FeedbackRecordId, RoutingRuleId},
    interaction_point::{self, PointKind},
    organization, routing,
    routing::RoutingCause,
    routing_rule,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, prelude::Uuid};

use super::{
    case::open_by_rule,
    rule_filters::rule_filters,
    rules::{Candidate, Decision, decide},
};
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::{
        slice::{Done, Module, Mutation},
        typed::{
            fields::MutationFn,
            input::{Input, RefTo},
        },
    },
    record::{interaction, unit_part},
    store::{
        Connection, Scope, Tx,
        statement::{
            cell::{Cell, Record, fold},
            typed::assign,
        },
        writing::{
            draft::{Draft, Outcome},
            write::{Hooks, NewRow},
        },
    },
};

/// Maximum length of a caller's reason in characters.
const REASON: usize = 2_000;
/// Relation of feedback to the cases about it.
const CASES: &str = "cases";
/// Maximum number of routing rules named in an error message.
const MAX_NAMED: usize = 10;

/// GraphQL module of feedback records: routes new records, and offers the mutation `feedbackRecordReroute`.
pub const FEEDBACK: Module = Module {
    rules: Hooks {
        prepare: |tx, drafts| Box::pin(prepare(tx, drafts)),
        written: |tx, drafts| Box::pin(open_cases(tx, drafts)),
        ..Hooks::NONE
    },
    mutations: &[REROUTE],
    ..Module::new(&feedback_record::NOUN)
};

async fn prepare(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    drafts.iter_mut().for_each(check_effort);
    interaction::complete_feedback(tx, drafts).await?;
    unit_part::complete_feedback(tx, drafts).await?;
    route(tx, drafts).await
}

/// Refuses an effort answer above the highest of its scale.
fn check_effort(draft: &mut Draft) {
    let answer = draft.get(feedback_record::CES).zip(draft.get(feedback_record::CES_SCALE));
    if let Some((_, scale)) = answer.filter(|(answer, scale)| *answer > scale.highest()) {
        let field = if draft.gives(feedback_record::CES) { "ces" } else { "cesScale" };
        draft.refuse(
            Code::OutOfRange,
            field,
            format!("on the scale {}, ces is at most {}", scale.text(), scale.highest()),
        );
    }
}

/// GraphQL module of departments: a department cannot be archived while feedback is routed to it.
pub const DEPARTMENTS: Module = Module {
    rules: Hooks { archive: |tx, departments| Box::pin(keep_departments(tx, departments)), ..Hooks::NONE },
    ..Module::new(&department::NOUN)
};

/// The mutation `feedbackRecordReroute`.
const REROUTE: Mutation = Mutation {
    name: "feedbackRecordReroute",
    doc: "Routes a feedback record to another department. Without a department, the routing rules decide again. \
          No reason is kept for a record of an erased customer.",
    permissions: &[Permission::ResponseWrite],
    run: &MutationFn::new(|tx, input| Box::pin(reroute(tx, input))),
};

/// Where to send which feedback record.
#[derive(Input)]
struct Reroute {
    /// The feedback record.
    by: RefTo<FeedbackRecordId>,
    /// Department to route it to.
    department_ref: Option<RefTo<DepartmentId>>,
    /// New priority. Defaults to the current one.
    priority: Option<Priority>,
    /// Reason for the change, up to 2,000 characters.
    #[input(max = REASON)]
    reason: String,
    /// The version you read; the mutation fails with CONFLICT if the row has changed since.
    expected_version: Option<i64>,
}

/// Department for feedback that no rule matches.
#[derive(Clone, Copy)]
pub(super) struct Fallback {
    /// The department.
    pub(super) department: Uuid,
    /// Whether it replaces the organization's fallback department because that one is archived.
    is_instead: bool,
}

impl Fallback {
    /// Returns the decision for feedback that no rule matches.
    pub(super) fn decision(self) -> Decision {
        Decision::fallback(self.department, self.is_instead)
    }
}

/// Data that routing needs for all feedback records of a call.
pub(super) struct Router {
    /// Rules that are not archived and whose department is not archived, by position.
    pub(super) rules: Arc<Vec<routing_rule::Model>>,
    kinds: HashMap<Uuid, PointKind>,
}

impl Router {
    /// Reads the rules, and the kinds of `points` if a rule has a condition on the kind.
    pub(super) async fn open<C: Connection>(scope: &Scope<C>, points: &[Uuid]) -> Result<Self> {
        let read = async {
            let active = routing_rule::Entity::find()
                .filter(routing_rule::Column::ArchivedAt.is_null())
                .order_by_asc(routing_rule::Column::Position)
                .order_by_asc(routing_rule::Column::Id);
            let mut rules = scope.all_unchecked(active).await?;
            let identities = rules.iter().map(|rule| (rule.id.0, rule.version)).collect();
            // A rule can still have an archived department if it predates the check for that, or if it was written
            // while another transaction archived the department.
            let departments: HashSet<Uuid> = rules.iter().map(|rule| rule.department_id.0).collect();
            let departments: Vec<Uuid> = departments.into_iter().collect();
            let archived = if departments.is_empty() {
                HashSet::new()
            } else {
                scope.archived_among(&department::NOUN, &departments).await?
            };
            rules.retain(|rule| !archived.contains(&rule.department_id.0));
            Ok((rules, archived.is_empty().then_some(identities)))
        };
        let rules = scope.row_cache(&routing_rule::NOUN, read).await?;
        let mut router = Self { rules, kinds: HashMap::new() };
        if router.rules.iter().any(|rule| rule.point_kind.is_some()) {
            router.kinds = kinds_of(scope, points).await?;
        }
        Ok(router)
    }

    /// Routes a candidate by the first matching rule, or else to the fallback department. The candidate's point must be
    /// one of those given to [`Self::open`].
    pub(super) async fn decide<C: Connection>(&self, scope: &Scope<C>, mut candidate: Candidate) -> Result<Decision> {
        candidate.point_kind = candidate.point.and_then(|point| self.kinds.get(&point).copied());
        if let Some(decision) = decide(&self.rules, &candidate) {
            return Ok(decision);
        }
        Ok(fallback(scope).await?.decision())
    }
}

/// Returns the department for what no rule routes.
pub(super) async fn fallback<C: Connection>(scope: &Scope<C>) -> Result<Fallback> {
    let read = async {
        let id = scope.organization().0;
        let columns = (organization::FALLBACK_DEPARTMENT_ID, organization::VERSION);
        let found = scope.select_by_ids_unchecked(columns, &[id]).await?;
        let identities = found.iter().map(|(_, version)| (id, *version)).collect();
        let named = found.first().and_then(|(fallback, _)| fallback.map(Uuid::from));
        let named = named.ok_or_else(|| Error::internal("an organization has no fallback department"))?;
        let as_named = Fallback { department: named, is_instead: false };
        if scope.archived_among(&department::NOUN, &[named]).await?.is_empty() {
            return Ok((as_named, Some(identities)));
        }
        let active = department::Entity::find()
            .filter(department::Column::ArchivedAt.is_null())
            .order_by_asc(department::Column::Id)
            .limit(1);
        let oldest = scope.all_unchecked(active).await?.first().map(|department| department.id.0);
        let instead = oldest.map(|department| Fallback { department, is_instead: true });
        Ok((instead.unwrap_or(as_named), None))
    };
    Ok(*scope.row_cache(&organization::NOUN, read).await?)
}

/// Returns the kinds of interaction points.
pub(super) async fn kinds_of<C: Connection>(scope: &Scope<C>, points: &[Uuid]) -> Result<HashMap<Uuid, PointKind>> {
    let columns = (interaction_point::ID, interaction_point::KIND);
    let found = scope.select_by_ids_unchecked(columns, points).await?;
    Ok(found.into_iter().map(|(id, kind)| (id.0, kind)).collect())
}

/// Builds the input of the rules from the rules whose filters a feedback record meets, and a function that returns the
/// value of a column of it.
pub(super) fn candidate<'a>(met: HashSet<Uuid>, cell: impl Fn(&str) -> &'a Cell) -> Candidate {
    fn get<'a, T: ColumnType>(cell: &impl Fn(&str) -> &'a Cell, column: Col<T>) -> Option<T::Value> {
        cell(column.name()).value::<T>()
    }
    let cell = &cell;
    Candidate {
        kind: get(cell, feedback_record::KIND),
        sentiment: get(cell, feedback_record::SENTIMENT),
        score: get(cell, feedback_record::SENTIMENT_SCORE),
        product: get(cell, feedback_record::PRODUCT),
        tags: get(cell, feedback_record::TAGS).and_then(|tags| serde_json::from_str(&tags).ok()).unwrap_or_default(),
        body: get(cell, feedback_record::BODY).map(|body| fold(&body)).unwrap_or_default(),
        point: get(cell, feedback_record::POINT_ID).map(Uuid::from),
        point_kind: None,
        medium: get(cell, feedback_record::MEDIUM_ID).map(Uuid::from),
        met,
    }
}

async fn route(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let is_routed = |draft: &Draft| draft.is_new() && draft.errors.is_empty();
    if !drafts.iter().any(is_routed) {
        return Ok(());
    }
    let points: Vec<Uuid> =
        drafts.iter().filter_map(|draft| draft.get(feedback_record::POINT_ID)).map(Uuid::from).collect();
    let router = Router::open(tx, &points).await?;
    let new: Vec<&Draft> = drafts.iter().filter(|draft| is_routed(draft)).collect();
    let met = rule_filters(tx, &router.rules).await?.met_by(tx, &new).await?;
    for (draft, met) in drafts.iter_mut().filter(|draft| is_routed(draft)).zip(met) {
        let decision = router.decide(tx, candidate(met, |column| draft.cell(column))).await?;
        draft.set(feedback_record::DEPARTMENT_ID, decision.department);
        draft.set(feedback_record::PRIORITY, decision.priority);
        if decision.is_case_opened {
            draft.changed_relations.push(CASES);
        }
        draft.related_rows.push((&routing::NOUN, history(tx, draft.id, decision)));
    }
    Ok(())
}

/// Opens cases for the new records whose rules want it.
async fn open_cases(tx: &Tx, drafts: &[Draft]) -> Result<()> {
    let wants = |draft: &&Draft| draft.errors.is_empty() && draft.is_new() && draft.changed_relations.contains(&CASES);
    if !drafts.iter().any(|draft| wants(&draft)) {
        return Ok(());
    }
    let router = Router::open(tx, &[]).await?;
    let rule = |draft: &Draft| {
        let made = draft.related_rows.iter().find(|(noun, _)| noun.table == routing::NOUN.table);
        let id = made.and_then(|(_, values)| values.iter().find(|(column, _)| column.name == routing::RULE_ID.name()));
        id.and_then(|(_, cell)| router.rules.iter().find(|rule| Some(rule.id.0) == cell.id()))
    };
    let opening: Vec<(&Draft, &routing_rule::Model)> =
        drafts.iter().filter(wants).filter_map(|draft| Some((draft, rule(draft)?))).collect();
    open_by_rule(tx, &opening).await
}

fn history(tx: &Tx, feedback: Uuid, decision: Decision) -> NewRow {
    let (rule, version) = decision.rule.unzip();
    vec![
        assign(routing::FEEDBACK_RECORD_ID, feedback),
        assign(routing::CAUSE, decision.cause),
        assign(routing::RULE_ID, rule.map(RoutingRuleId)),
        assign(routing::RULE_VERSION, version),
        assign(routing::DEPARTMENT_ID, decision.department),
        assign(routing::PRIORITY, decision.priority),
        assign(routing::RESPONSE_POLICY_ID, decision.policy),
        assign(routing::REASON, decision.reason),
        assign(routing::SUBJECT, tx.actor().subject.clone()),
    ]
}

async fn reroute(tx: &Tx, input: &Reroute) -> Result<Done> {
    let noun = &feedback_record::NOUN;
    let reason = &input.reason;
    if crate::text::is_blank(reason) {
        return Ok(Err(vec![UserError::new(Code::Required, "reason", "a reason is required")]));
    }
    let record = match tx.lock_one(noun, Permission::ResponseWrite, &input.by.reference, input.expected_version).await?
    {
        Ok(record) => record,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    // The rules decide for the organization.
    let _whole = tx.for_organization();
    let mut decision = match &input.department_ref {
        None => {
            let points: Vec<Uuid> = record.get(feedback_record::POINT_ID).map(Uuid::from).into_iter().collect();
            let router = Router::open(tx, &points).await?;
            let filters = rule_filters(tx, &router.rules).await?;
            let met = filters
                .met_by_stored(tx, &feedback_record::NOUN, &[record.id()])
                .await?
                .remove(&record.id())
                .unwrap_or_default();
            let mut decision = router.decide(tx, candidate(met, |column| record.cell(column))).await?;
            decision.reason = format!("{reason} {}", decision.reason).chars().take(REASON).collect();
            decision
        }
        Some(named) => {
            let Some(department) = named.find(tx).await?.map(Uuid::from) else {
                return Ok(Err(vec![UserError::new(Code::NotFound, "departmentRef", "no such Department")]));
            };
            if !tx.archived_among(&department::NOUN, &[department]).await?.is_empty() {
                let message = "this Department is archived";
                return Ok(Err(vec![UserError::new(Code::Archived, "departmentRef", message)]));
            }
            Decision {
                cause: RoutingCause::Reroute,
                rule: None,
                department,
                priority: record.get(feedback_record::PRIORITY).unwrap_or(Priority::Normal),
                policy: None,
                is_case_opened: false,
                reason: reason.clone(),
            }
        }
    };
    if let Some(priority) = input.priority {
        decision.priority = priority;
    }
    let id = record.id();
    let values = vec![
        assign(feedback_record::DEPARTMENT_ID, decision.department),
        assign(feedback_record::PRIORITY, decision.priority),
    ];
    let mut fields: Vec<&'static str> = values
        .iter()
        .filter(|(column, cell)| record.cell(column.name) != cell)
        .map(|(column, _)| column.field)
        .collect();
    fields.push("routings");
    let now = Cell::Int(tx.now().timestamp_millis());
    tx.put(noun, vec![(record.changed(&values, &now), fields)], EventOperation::Updated).await?;
    tx.make(&routing::NOUN, vec![history(tx, id, decision)]).await?;
    Ok(Ok((id, Outcome::Updated)))
}

/// Returns the errors that refuse to archive departments to which a rule or the fallback routes feedback.
async fn keep_departments(tx: &Tx, departments: &[Record]) -> Result<HashMap<Uuid, UserError>> {
    let router = Router::open(tx, &[]).await?;
    let fallback = fallback(tx).await?.department;
    let sees_rules = tx.may_read(&routing_rule::NOUN).is_ok();
    let mut kept = HashMap::new();
    for id in departments.iter().map(Record::id) {
        let rules: Vec<&str> =
            router.rules.iter().filter(|rule| rule.department_id.0 == id).map(|rule| rule.name.as_str()).collect();
        let is_fallback = fallback == id;
        if !is_fallback && rules.is_empty() {
            continue;
        }
        let mut users = Vec::new();
        if is_fallback {
            users.push("the organization's fallback".to_owned());
        }
        if sees_rules {
            users.extend(rules.iter().take(MAX_NAMED).map(|name| format!("rule “{name}”")));
        }
        let named = users.len() - usize::from(is_fallback);
        match rules.len() - named {
            0 => {}
            1 => users.push("1 routing rule".to_owned()),
            more => users.push(format!("{more} routing rules")),
        }
        let message = format!("feedback is routed to this department by {}; change that first", users.join(", "));
        kept.insert(id, UserError::new(Code::InUse, "by", message));
    }
    Ok(kept)
}
