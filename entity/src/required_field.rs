//! Required fields: what must be recorded of an interaction at points of a kind.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{OrganizationId, RequiredFieldId},
    interaction_point::PointKind,
};

crate::string_enum! {
    /// What can be recorded of an interaction.
    RecordedField as "RecordedField" {
        /// The customer.
        Customer = "CUSTOMER",
        /// The account.
        Account = "ACCOUNT",
        /// The medium.
        Medium = "MEDIUM",
        /// What moved the customer to it.
        Influencer = "INFLUENCER",
        /// The department that took part.
        Department = "DEPARTMENT",
        /// The member of staff who took part.
        StaffSubject = "STAFF_SUBJECT",
        /// The direction.
        Direction = "DIRECTION",
        /// The purpose.
        Purpose = "PURPOSE",
        /// The stage of the relationship.
        Stage = "STAGE",
        /// How long it took.
        Duration = "DURATION",
        /// The organization's objective.
        OurObjective = "OUR_OBJECTIVE",
        /// Whether the organization's objective was reached.
        OurObjectiveReached = "OUR_OBJECTIVE_REACHED",
        /// The customer's objective.
        TheirObjective = "THEIR_OBJECTIVE",
        /// Whether the customer's objective was reached.
        TheirObjectiveReached = "THEIR_OBJECTIVE_REACHED",
        /// How relevant the customer found it.
        Relevance = "RELEVANCE",
        /// How well timed the customer found it.
        Timing = "TIMING",
        /// What the organization learned about the customer.
        Learned = "LEARNED",
        /// What the customer learned from the organization.
        Taught = "TAUGHT",
        /// The summary.
        Summary = "SUMMARY",
        /// What happens next.
        NextStep = "NEXT_STEP",
        /// At least one assessment.
        Assessments = "ASSESSMENTS",
    }
}

/// A field that must be recorded of each interaction at a point of a kind. A COMPLETED interaction without it is stored
/// all the same: `missingFields` of the interaction names the field, and `incompleteInteractions` lists the interaction.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "required_field")]
#[noun(
    prefix = "reqfield", read = RecordRead, write = Admin, operations = PART, external_ids, unique(point_kind, field)
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RequiredFieldId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Kind of the points whose interactions must have the field.
    #[noun(required)]
    pub point_kind: PointKind,
    /// The field. One that is required for the kind already fails with TAKEN.
    #[noun(required)]
    pub field: RecordedField,
    /// Why it must be recorded, to show beside an empty field. Up to 2,000 characters.
    #[noun(optional, searchable, max = 2000)]
    pub reason: Option<String>,
    /// Folded copy of `reason` for search.
    pub reason_folded: Option<String>,
}
