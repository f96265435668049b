//! The response, through the API: the people who give it, the cases that they handle, and what is due when.

mod assignment;
mod calendars;
mod case_closing;
mod case_paths;
mod case_traces;
mod cases;
mod contact_plans;
mod contacts;
mod deadline_policies;
mod deadline_talks;
mod deadlines;
mod dry_run;
mod duties;
mod effects;
mod feeds;
mod follow_ups;
mod improvements;
mod members;
mod narrowing;
mod notices;
mod playbook_year;
mod playbooks;
mod rule_filters;
mod work;
