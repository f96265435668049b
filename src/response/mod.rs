//! The response to feedback: departments and their members, routing rules and the preview of routing, cases
//! and the attempts to solve them, what is due when: business calendars, response policies and deadlines, what changes
//! for all customers: improvements, and the notices that tell them, when customers may be contacted: contact policies, and
//! the duties towards them: follow-ups, and the playbooks that make them.

mod at_most;
pub mod attempt;
pub mod business_calendar;
pub mod calendar_feed;
pub mod case;
pub mod case_comment;
pub mod cause;
pub mod contact;
pub mod deadline;
mod dry_run;
pub mod follow_up;
pub mod holiday;
mod holiday_import;
pub mod improvement;
pub mod member;
pub mod notice;
mod placed;
pub mod playbook;
pub mod preview;
pub mod response_policy;
pub mod routing;
mod routing_rule;
mod rule_filters;
pub mod rules;
mod work;

use entity::{content_item, feedback_record, interaction, occasion};

use crate::graphql::slice::Part;

/// Nouns and queries that the response adds to the API.
pub const PARTS: &[Part] = &[
    Part::Noun(&routing::DEPARTMENTS),
    Part::Noun(&routing::FEEDBACK),
    Part::Noun(&routing_rule::SLICE),
    Part::Noun(&member::SLICE),
    Part::Noun(&cause::SLICE),
    Part::Noun(&business_calendar::CALENDARS),
    Part::Noun(&business_calendar::INTERVALS),
    Part::Noun(&holiday::SLICE),
    Part::Noun(&response_policy::SLICE),
    Part::Noun(&contact::SLICE),
    Part::Noun(&case::SLICE),
    Part::Noun(&attempt::SLICE),
    Part::Noun(&case_comment::SLICE),
    Part::Noun(&deadline::SLICE),
    Part::Rules(&interaction::NOUN, &deadline::INTERACTION_RULES),
    Part::Noun(&improvement::SLICE),
    Part::Noun(&notice::SLICE),
    Part::Rules(&feedback_record::NOUN, &improvement::FEEDBACK_RULES),
    Part::Rules(&interaction::NOUN, &contact::INTERACTION_RULES),
    Part::Noun(&playbook::SLICE),
    Part::Noun(&follow_up::SLICE),
    Part::Rules(&interaction::NOUN, &playbook::INTERACTION_RULES),
    Part::Rules(&entity::case::NOUN, &playbook::CASE_RULES),
    Part::Rules(&feedback_record::NOUN, &playbook::FEEDBACK_RULES),
    Part::Rules(&occasion::NOUN, &playbook::OCCASION_RULES),
    Part::Rules(&entity::improvement::NOUN, &playbook::IMPROVEMENT_RULES),
    Part::Rules(&content_item::NOUN, &playbook::CONTENT_RULES),
    Part::Job(&playbook::DATES_JOB),
    Part::Job(&playbook::AUDIENCE_JOB),
    Part::Query(&preview::PREVIEW),
    Part::Query(&dry_run::DRY_RUN),
    Part::Query(&contact::ALLOWED),
    Part::Noun(&calendar_feed::SLICE),
    Part::Query(&work::MY_WORK),
];
