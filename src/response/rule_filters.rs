//! The stored filters of routing rules.

use std::collections::{HashMap, HashSet};

use entity::{feedback_record, routing_rule::Model as Rule};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    graphql::planning::stored_filter::sound_condition,
    store::{Connection, Scope, statement::filter::Predicate, writing::draft::Draft},
};

/// The filters of rules as conditions. A rule whose filter is broken has none here, and matches nothing.
#[derive(Debug, Default)]
pub(super) struct RuleFilters(Vec<(Uuid, Predicate)>);

impl RuleFilters {
    /// Reads the filters of rules.
    pub(super) async fn read<C: Connection>(scope: &Scope<C>, rules: &[Rule]) -> Result<Self> {
        let mut filters = Vec::new();
        for rule in rules {
            let Some(filter) = &rule.filter else { continue };
            let condition = sound_condition(scope, &feedback_record::NOUN, filter).await?;
            filters.extend(condition.map(|condition| (rule.id.0, condition)));
        }
        Ok(Self(filters))
    }

    /// Returns, for each of these new records, the rules whose filters it meets.
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

    /// Returns, for stored records, the rules whose filters they meet.
    pub(super) async fn met_by_stored<C: Connection>(
        &self,
        scope: &Scope<C>,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, HashSet<Uuid>>> {
        let mut met: HashMap<Uuid, HashSet<Uuid>> = HashMap::new();
        let found = scope.meeting(&feedback_record::NOUN, ids, &self.conditions()).await?;
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
