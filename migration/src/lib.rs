//! The history of the schema: one frozen step a file, each in a transaction.

mod dialect;
mod m0001_foundation;
mod m0002_map;
mod m0003_record;
mod m0004_response;
mod m0005_api_clients;
mod m0006_audit;
mod m0007_erasure;
mod m0008_journey;
mod m0009_elements;
mod m0010_messages_reviews;
mod m0011_rollup;
mod m0012_top_five;
mod m0013_steps;
mod m0014_attributes;
mod m0015_spread;
mod m0018_client_limits;
mod m0019_state_changes;
mod m0020_kinds;
mod m0021_external_ids;
mod m0022_money;
mod m0025_units;
mod m0028_interactions;
mod m0029_customers;
mod m0030_purchases;
mod m0040_organization_deletion;
mod m0041_retention;
mod m0042_timelines;
mod m0043_search;
mod m0044_merges;
mod m0045_expectations;
mod m0046_effort_scale;
mod m0047_required_fields;
mod m0048_emptied_references;
mod m0049_members;
mod m0050_cases;
mod m0051_job_leases;
mod m0053_response_policies;
mod m0054_deadlines;
mod m0055_case_trace;
mod m0056_improvements;
mod m0057_notices;
mod m0058_contact_policies;
mod m0060_rule_filters;
mod m0061_assignment;
mod m0062_follow_ups;
mod m0063_work;
mod m0064_calendar_feeds;
mod m0065_selected_policies;
mod m0066_change_feed;
mod m0067_webhooks;
mod m0070_trusted_documents;
mod m0071_imports;
mod m0072_webhook_documents;
mod noun_table;

use sea_orm_migration::prelude::MigrationTrait;
pub use sea_orm_migration::{MigratorTrait, sea_orm::DbErr};

/// Brings a database from any earlier state to the one this program needs.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_foundation::Migration),
            Box::new(m0002_map::Migration),
            Box::new(m0003_record::Migration),
            Box::new(m0004_response::Migration),
            Box::new(m0005_api_clients::Migration),
            Box::new(m0006_audit::Migration),
            Box::new(m0007_erasure::Migration),
            Box::new(m0008_journey::Migration),
            Box::new(m0009_elements::Migration),
            Box::new(m0010_messages_reviews::Migration),
            Box::new(m0011_rollup::Migration),
            Box::new(m0012_top_five::Migration),
            Box::new(m0013_steps::Migration),
            Box::new(m0014_attributes::Migration),
            Box::new(m0015_spread::Migration),
            Box::new(m0018_client_limits::Migration),
            Box::new(m0019_state_changes::Migration),
            Box::new(m0020_kinds::Migration),
            Box::new(m0021_external_ids::Migration),
            Box::new(m0022_money::Migration),
            Box::new(m0025_units::Migration),
            Box::new(m0028_interactions::Migration),
            Box::new(m0029_customers::Migration),
            Box::new(m0030_purchases::Migration),
            Box::new(m0040_organization_deletion::Migration),
            Box::new(m0041_retention::Migration),
            Box::new(m0042_timelines::Migration),
            Box::new(m0043_search::Migration),
            Box::new(m0044_merges::Migration),
            Box::new(m0045_expectations::Migration),
            Box::new(m0046_effort_scale::Migration),
            Box::new(m0047_required_fields::Migration),
            Box::new(m0048_emptied_references::Migration),
            Box::new(m0049_members::Migration),
            Box::new(m0050_cases::Migration),
            Box::new(m0051_job_leases::Migration),
            Box::new(m0053_response_policies::Migration),
            Box::new(m0054_deadlines::Migration),
            Box::new(m0055_case_trace::Migration),
            Box::new(m0056_improvements::Migration),
            Box::new(m0057_notices::Migration),
            Box::new(m0058_contact_policies::Migration),
            Box::new(m0060_rule_filters::Migration),
            Box::new(m0061_assignment::Migration),
            Box::new(m0062_follow_ups::Migration),
            Box::new(m0063_work::Migration),
            Box::new(m0064_calendar_feeds::Migration),
            Box::new(m0065_selected_policies::Migration),
            Box::new(m0066_change_feed::Migration),
            Box::new(m0067_webhooks::Migration),
            Box::new(m0070_trusted_documents::Migration),
            Box::new(m0071_imports::Migration),
            Box::new(m0072_webhook_documents::Migration),
        ]
    }
}
