//! Links between the steps of a journey.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{JourneyId, OrganizationId, StepId, StepLinkId},
};

crate::string_enum! {
    /// Meaning of a link between two steps.
    StepLinkKind as "StepLinkKind" {
        /// The second step follows the first.
        Sequence = "SEQUENCE",
        /// The second step may follow the first.
        Optional = "OPTIONAL",
        /// The second step is an earlier one. Only links of this kind may close a cycle.
        Loop = "LOOP",
        /// The second step happens at the same time as other steps that follow the first.
        Parallel = "PARALLEL",
    }
}

/// A directed link between two steps of a journey: which step follows which. A link other than a LOOP link fails with
/// CYCLE if it would close a cycle.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "step_link")]
#[noun(prefix = "link", read = MapRead, write = MapWrite, operations = PART, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StepLinkId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Meaning of the link.
    #[noun(default = "SEQUENCE")]
    pub kind: StepLinkKind,
    /// Text shown on the link, for example a condition.
    #[noun(optional, max = 200)]
    pub label: Option<String>,
    /// The journey of both steps.
    #[noun(fixed, part, inverse(links = "Links between the steps of the journey."))]
    pub journey_id: JourneyId,
    /// The step at which the link starts. Fails with INVALID if it is of another journey.
    #[noun(required, inverse(outgoing = "Links that start at this step."))]
    pub from_id: StepId,
    /// The step at which the link ends. Fails with INVALID if it is of another journey.
    #[noun(required, inverse(incoming = "Links that end at this step."))]
    pub to_id: StepId,
}
