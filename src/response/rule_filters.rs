//! The stored filters of rules: of routing rules for feedback, and of response policies for cases.

use std::collections::{HashMap, HashSet};

use entity::{Col, Noun, feedback_record, id::NounId, routing_rule::Model as Rule};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    error::Code,
    graphql::{
        planning::stored_filter::{condition, mistake, sound_condition},
        typed::fields::ByRow,
    },
    store::{
        Connection, Scope,
        statement::{cell::Column, filter::Predicate},
        writing::draft::Draft,
    },
};

/// The filters of rules as conditions. A rule whose filter is broken has none here, and matches nothing.
#[derive(Debug, Default)]
pub(super) struct RuleFilters(Vec<(Uuid, Predicate)>);

/// Reads the filters of routing rules.
pub(super) async fn rule_filters<C: Connection>(scope: &Scope<C>, rules: &[Rule]) -> Result<RuleFilters> {
    let filters = rules.iter().map(|rule| (rule.id.0, rule.filter.as_deref()));
    RuleFilters::read(scope, &feedback_record::NOUN, filters).await
}

/// Reads the filter that a draft of a rule gives in a column, as a condition. Refuses one that asks for relations to many
/// rows: they are not known before the row that it judges is stored.
pub(super) async fn given_condition<C: Connection>(
    scope: &Scope<C>,
    rule: &mut Draft,
    column: Col<Option<String>>,
    noun: &'static Noun,
) -> Result<Option<Predicate>> {
    let is_given = rule.errors.is_empty() && rule.gives(column);
    let Some(filter) = rule.get(column).filter(|_| is_given) else { return Ok(None) };
    let condition = condition(scope, noun, &filter).await?;
    if let Some(relation) = condition.relation_to_many() {
        let message = format!("{} are not known before the row is stored", relation.name);
        rule.refuse(Code::Invalid, Column::from(column).field, message);
        return Ok(None);
    }
    Ok(Some(condition))
}

/// Returns why the filters in a column of rules are broken. Rules whose filters are not are omitted.
pub(super) async fn mistakes<T: NounId>(
    scope: &Scope,
    columns: (Col<T>, Col<Option<String>>),
    noun: &'static Noun,
    ids: &[Uuid],
) -> Result<ByRow<Option<String>>> {
    let mut found = ByRow::new();
    for (id, filter) in scope.select_by_ids(columns, ids).await? {
        let Some(filter) = filter else { continue };
        found.insert(id.uuid(), mistake(scope, noun, &filter).await?);
    }
    Ok(found)
}

impl RuleFilters {
    /// Reads the filters of rules about rows of `noun`, each given with the id of its rule.
    pub(super) async fn read<C: Connection>(
        scope: &Scope<C>,
        noun: &'static Noun,
        rules: impl Iterator<Item = (Uuid, Option<&str>)>,
    ) -> Result<Self> {
        let mut filters = Vec::new();
        for (rule, filter) in rules {
            let Some(filter) = filter else { continue };
            filters.extend(sound_condition(scope, noun, filter).await?.map(|condition| (rule, condition)));
        }
        Ok(Self(filters))
    }

    /// Returns whether a filter asks for one of these columns.
    pub(super) fn ask_for(&self, columns: &[&str]) -> bool {
        self.0.iter().any(|(_, condition)| columns.iter().any(|column| condition.asks_for(column)))
    }

    /// Returns, for each of these drafts, the rules whose filters it meets.
    pub(super) async fn met_by<C: Connection>(
        &self,
        scope: &Scope<C>,
        drafts: &[&Draft],
    ) -> Result<Vec<HashSet<Uuid>>> {
        let answers = scope.judge(drafts, &self.conditions()).await?;
        let rules = |answers: Vec<bool>| {
            self.rules().zip(answers).filter_map(|(rule, is_met)| is_met.then_some(rule)).collect()
        };
        Ok(answers.into_iter().map(rules).collect())
    }

    /// Returns, for stored rows of `noun`, the rules whose filters they meet.
    pub(super) async fn met_by_stored<C: Connection>(
        &self,
        scope: &Scope<C>,
        noun: &'static Noun,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, HashSet<Uuid>>> {
        let mut met: HashMap<Uuid, HashSet<Uuid>> = HashMap::new();
        let found = scope.meeting(noun, ids, &self.conditions()).await?;
        for (rule, ids) in self.rules().zip(found) {
            for id in ids {
                met.entry(id).or_default().insert(rule);
            }
        }
        Ok(met)
    }

    fn rules(&self) -> impl Iterator<Item = Uuid> {
        self.0.iter().map(|(rule, _)| *rule)
    }

    fn conditions(&self) -> Vec<&Predicate> {
        self.0.iter().map(|(_, condition)| condition).collect()
    }
}
