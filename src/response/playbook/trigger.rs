//! What makes playbooks act: the rows that each trigger is about, and the filter of them.

use entity::{
    Col, Noun, case, content_item, feedback_record, improvement, interaction, occasion,
    playbook::{
        CASE_FILTER, CONTENT_ITEM_FILTER, FEEDBACK_RECORD_FILTER, IMPROVEMENT_FILTER, INTERACTION_FILTER,
        Model as Playbook, OCCASION_FILTER, PlaybookTrigger,
    },
};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    graphql::planning::stored_filter::sound_condition,
    store::{Connection, Scope, Tx, statement::filter::Predicate, writing::draft::Draft},
};

/// The filters of the rows that triggers are about.
pub(super) const FILTERS: [(&Noun, Col<Option<String>>); 6] = [
    (&interaction::NOUN, INTERACTION_FILTER),
    (&case::NOUN, CASE_FILTER),
    (&feedback_record::NOUN, FEEDBACK_RECORD_FILTER),
    (&occasion::NOUN, OCCASION_FILTER),
    (&improvement::NOUN, IMPROVEMENT_FILTER),
    (&content_item::NOUN, CONTENT_ITEM_FILTER),
];

/// Returns the filter of the rows that a trigger is about.
pub(super) const fn filter_of(trigger: PlaybookTrigger) -> Col<Option<String>> {
    match trigger {
        PlaybookTrigger::InteractionScheduled | PlaybookTrigger::InteractionCompleted => INTERACTION_FILTER,
        PlaybookTrigger::CaseResponded => CASE_FILTER,
        PlaybookTrigger::FeedbackReceived => FEEDBACK_RECORD_FILTER,
        PlaybookTrigger::Occasion => OCCASION_FILTER,
        PlaybookTrigger::ImprovementDone => IMPROVEMENT_FILTER,
        PlaybookTrigger::ContentAdded => CONTENT_ITEM_FILTER,
    }
}

/// Returns the filters of a playbook, each with its noun.
pub(super) fn filters(playbook: &Playbook) -> [(&'static Noun, Option<&str>); 7] {
    [
        (&interaction::NOUN, playbook.interaction_filter.as_deref()),
        (&case::NOUN, playbook.case_filter.as_deref()),
        (&feedback_record::NOUN, playbook.feedback_record_filter.as_deref()),
        (&occasion::NOUN, playbook.occasion_filter.as_deref()),
        (&improvement::NOUN, playbook.improvement_filter.as_deref()),
        (&content_item::NOUN, playbook.content_item_filter.as_deref()),
        (&entity::customer::NOUN, playbook.audience.as_deref()),
    ]
}

/// A playbook with the condition of the rows that its trigger is about.
pub(super) struct Play<'a> {
    pub(super) playbook: &'a Playbook,
    pub(super) condition: Predicate,
}

/// Returns those of the playbooks that have one of these triggers, without those whose filters are broken.
pub(super) async fn plays<'a, C: Connection>(
    scope: &Scope<C>,
    playbooks: &'a [Playbook],
    triggers: &[PlaybookTrigger],
) -> Result<Vec<Play<'a>>> {
    let mut plays = Vec::new();
    for playbook in playbooks.iter().filter(|playbook| triggers.contains(&playbook.trigger)) {
        let mut own = Some(Predicate::always());
        for (noun, filter) in filters(playbook) {
            let Some(filter) = filter else { continue };
            let read = sound_condition(scope, noun, filter).await?;
            // The audience is another condition: it is only checked here.
            own = match read {
                Some(read) if noun.table != entity::customer::TABLE => own.map(|_| read),
                Some(_) => own,
                None => None,
            };
        }
        plays.extend(own.map(|condition| Play { playbook, condition }));
    }
    Ok(plays)
}

/// Returns, for each of these plays, the ids of the drafts that meet its condition.
pub(super) async fn met(tx: &Tx, plays: &[Play<'_>], drafts: &[&Draft]) -> Result<Vec<Vec<Uuid>>> {
    let conditions: Vec<&Predicate> = plays.iter().map(|play| &play.condition).collect();
    let answers = tx.judge(drafts, &conditions).await?;
    let met = |place: usize| {
        let met = drafts.iter().zip(&answers).filter(|(_, answers)| answers[place]);
        met.map(|(draft, _)| draft.id).collect()
    };
    Ok((0..plays.len()).map(met).collect())
}
