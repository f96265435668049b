//! Notices: customers are told what was done because of their feedback.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{CustomerId, ImprovementId, InteractionId, MediumId, NoticeId, OrganizationId},
};

crate::string_enum! {
    /// Status of a notice.
    NoticeStatus as "NoticeStatus" {
        /// The customer is to be told.
        Pending = "PENDING",
        /// The customer was told.
        Told = "TOLD",
        /// The customer cannot be told.
        Impossible = "IMPOSSIBLE",
    }
}

crate::string_enum! {
    /// Why a customer cannot be told.
    NoticeObstacle as "NoticeObstacle" {
        /// The customer allows no medium for the purpose SERVICE.
        NoConsent = "NO_CONSENT",
        /// No contact point of the customer is known.
        NoContactPoint = "NO_CONTACT_POINT",
        /// The customer does not want to hear of it.
        Declined = "DECLINED",
        /// Another reason: the note says which.
        Other = "OTHER",
    }
}

/// Tells a customer that an improvement which the customer's feedback led to is done. The server makes one for each
/// customer who contributed, once per improvement; more can be made by hand, for example for somebody who asked.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "notice")]
#[noun(prefix = "notice", read = ResponseRead, write = ResponseWrite, operations = PART, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NoticeId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Status. A new notice may have any status, for example TOLD if another system told the customer; afterwards,
    /// transitions change it, and so may upserts and imports. Consents are checked by noticeTell alone.
    #[noun(ordered, lifecycle(
        initial = Pending,
        on_create,
        tell(from(Pending, Impossible), to = Told, accepts(medium_id, told_at, interaction_id, note), needs(MapRead),
            doc = "Records that a customer was told. Fails with REQUIRED without a medium; with INVALID at mediumRef \
                unless the customer's newest decision about the medium, or about every medium, was GRANTED for the \
                purpose SERVICE when the customer was told; with INVALID at by unless the improvement is DONE; and with \
                INVALID at interactionRef if the interaction is with another customer."),
        abandon(from(Pending), to = Impossible, requires(obstacle), accepts(note), stamps = abandoned_at,
            doc = "Records that a customer cannot be told, and why. Fails with REQUIRED for OTHER without a note."),
    ))]
    pub status: NoticeStatus,
    /// When the customer was told, UTC; null until then. Defaults to the current time once the status is TOLD. Fails with
    /// OUT_OF_RANGE in the future.
    #[noun(imported, ordered)]
    pub told_at: Option<ChronoUnixTimestampMillis>,
    /// When it turned out that the customer cannot be told, UTC.
    #[noun(imported)]
    pub abandoned_at: Option<ChronoUnixTimestampMillis>,
    /// Why the customer cannot be told; null unless the status is IMPOSSIBLE.
    #[noun(imported)]
    pub obstacle: Option<NoticeObstacle>,
    /// What was said, or what else is to be known.
    #[noun(optional, searchable, max = 2000, personal = FreeText)]
    pub note: Option<String>,
    /// Folded copy of `note` for search.
    pub note_folded: Option<String>,
    /// The improvement.
    #[noun(fixed, inverse(notices = "Who is told of it, and who was."))]
    pub improvement_id: ImprovementId,
    /// Customer to tell.
    #[noun(fixed, inverse(notices = "What the customer is told of improvements."))]
    pub customer_id: CustomerId,
    /// Medium to tell the customer by, and once told, the one that was used. The server proposes the one by which the newest
    /// feedback came that the customer allows, or else the one that the customer allowed last; null if the customer
    /// allows every medium and none of them stands out.
    #[noun(optional)]
    pub medium_id: Option<MediumId>,
    /// Interaction in which the customer was told.
    #[noun(optional, inverse(notices = "What the customer was told of improvements in the interaction."))]
    pub interaction_id: Option<InteractionId>,
}
