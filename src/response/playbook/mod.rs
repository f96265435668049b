//! Playbooks: what they may say, and which are active.

mod audience;
mod dates;
mod events;
mod make;
mod trigger;

use std::{collections::HashSet, sync::Arc};

use entity::{
    department, medium, member,
    playbook::{
        self, AUDIENCE, CALENDAR_ID, ID, IS_INTEREST_MATCHED, Model as Playbook, NOUN, OFFSET_MINUTES, TRIGGER,
    },
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, prelude::Uuid};

use self::{
    make::offset,
    trigger::{FILTERS, filter_of},
};
use super::{at_most::at_most, deadline::Calendars, rule_filters::given_condition};
use crate::{
    Result,
    error::Code,
    graphql::{
        planning::stored_filter::mistake,
        slice::{Computed, Module},
        typed::fields::{ByRow, ComputedFn},
    },
    store::{
        Connection, Scope, Tx,
        statement::cell::Column,
        writing::{draft::Draft, external_ids::EXTERNAL_ID, write::Hooks},
    },
};

pub use self::make::key;
pub use self::{
    audience::{CONTENT_RULES, IMPROVEMENT_RULES, JOB as AUDIENCE_JOB},
    dates::{JOB as DATES_JOB, OCCASION_RULES},
    events::{CASE_RULES, FEEDBACK_RULES, INTERACTION_RULES},
};

/// Maximum number of playbooks of an organization, archived ones included: each event is compared with all others.
const MOST: usize = 100;

/// GraphQL module of playbooks.
pub const SLICE: Module = Module {
    rules: Hooks { prepare: |tx, drafts| Box::pin(check(tx, drafts)), ..Hooks::NONE },
    computed: &[Computed {
        name: "filterMistake",
        doc: "Why one of its filters is broken, so that the playbook makes nothing: what it asks for no longer exists, or \
              needs a scope that whoever saved it lacked. Null if none is broken.",
        run: &ComputedFn::new(|scope, (), ids| Box::pin(mistakes(scope, ids))),
    }],
    ..Module::new(&NOUN)
};

async fn check(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    for draft in drafts.iter_mut().filter(|draft| draft.errors.is_empty()) {
        check_filters(tx, draft).await?;
    }
    check_reach(tx, drafts).await?;
    at_most(tx, drafts, ID, MOST).await
}

/// Refuses filters of rows that the trigger is not about, and those that cannot be answered when it happens.
async fn check_filters(tx: &Tx, draft: &mut Draft) -> Result<()> {
    let Some(trigger) = draft.get(TRIGGER) else { return Ok(()) };
    for (noun, column) in FILTERS {
        if draft.get(column).is_none() {
            continue;
        }
        let field = Column::from(column).field;
        if filter_of(trigger).name() != column.name() {
            let message = format!("the trigger {} is not about {}", trigger.text(), noun.plural);
            draft.refuse(Code::Invalid, field, message);
        } else if let Some(condition) = given_condition(tx, draft, column, noun).await?
            && condition.asks_for(EXTERNAL_ID.name)
        {
            draft.refuse(Code::Invalid, field, "external ids are not known yet when the playbook acts");
        }
    }
    if draft.get(AUDIENCE).is_some() && !trigger.has_audience() {
        draft.refuse(Code::Invalid, "audience", format!("the trigger {} is about one customer", trigger.text()));
    }
    if draft.get(IS_INTEREST_MATCHED) == Some(true) && trigger != playbook::PlaybookTrigger::ContentAdded {
        draft.refuse(Code::Invalid, "isInterestMatched", "only content has topics: the trigger is not CONTENT_ADDED");
    }
    Ok(())
}

/// Refuses an offset that the calendar does not reach.
async fn check_reach(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let is_concerned =
        |draft: &Draft| draft.errors.is_empty() && (draft.gives(CALENDAR_ID) || draft.gives(OFFSET_MINUTES));
    let named = drafts.iter().filter(|draft| is_concerned(draft)).filter_map(|draft| draft.get(CALENDAR_ID));
    let calendars = Calendars::read(tx, named).await?;
    for draft in drafts.iter_mut().filter(|draft| is_concerned(draft)) {
        // Whether there is such a calendar may be left to the foreign key.
        let Some(time) = draft.get(CALENDAR_ID).and_then(|id| calendars.find(id)) else { continue };
        if offset(tx.now(), draft.get(OFFSET_MINUTES).unwrap_or_default(), Some(time)).is_none() {
            let message = "the calendar does not reach this within ten years; open it longer, or take less";
            draft.refuse(Code::OutOfRange, "offsetMinutes", message);
        }
    }
    Ok(())
}

async fn mistakes(scope: &Scope, ids: &[Uuid]) -> Result<ByRow<Option<String>>> {
    let mut found = ByRow::new();
    for playbook in scope.all(playbook::Entity::find().filter(playbook::Column::Id.is_in(ids.iter().copied()))).await? {
        let mut why = None;
        for (noun, filter) in trigger::filters(&playbook) {
            if let (None, Some(filter)) = (&why, filter) {
                why = mistake(scope, noun, filter).await?;
            }
        }
        found.insert(playbook.id.into(), why);
    }
    Ok(found)
}

/// Returns the playbooks that are not archived, in the order of their creation. What they name and is archived is left out.
async fn active<C: Connection>(scope: &Scope<C>) -> Result<Arc<Vec<Playbook>>> {
    let read = async {
        let active =
            playbook::Entity::find().filter(playbook::Column::ArchivedAt.is_null()).order_by_asc(playbook::Column::Id);
        let mut playbooks = scope.all_unchecked(active).await?;
        let identities = playbooks.iter().map(|playbook| (playbook.id.0, playbook.version)).collect();
        let mut is_complete = true;
        let mut named = async |noun, ids: Vec<Uuid>| {
            let archived = if ids.is_empty() { HashSet::new() } else { scope.archived_among(noun, &ids).await? };
            is_complete &= archived.is_empty();
            Ok::<_, crate::Error>(archived)
        };
        let ids = |id: fn(&Playbook) -> Option<Uuid>| playbooks.iter().filter_map(id).collect::<Vec<_>>();
        let departments = named(&department::NOUN, ids(|it| it.department_id.map(Uuid::from))).await?;
        let members = named(&member::NOUN, ids(|it| it.owner_id.map(Uuid::from))).await?;
        let mediums = named(&medium::NOUN, ids(|it| it.medium_id.map(Uuid::from))).await?;
        for playbook in &mut playbooks {
            playbook.department_id.take_if(|id| departments.contains(&id.0));
            playbook.owner_id.take_if(|id| members.contains(&id.0));
            playbook.medium_id.take_if(|id| mediums.contains(&id.0));
        }
        Ok((playbooks, is_complete.then_some(identities)))
    };
    scope.row_cache(&NOUN, read).await
}
