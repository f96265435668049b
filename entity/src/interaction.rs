//! Interactions: what really happened at the points of the map.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    contact_policy::ContactRule,
    id::{
        AccountId, CaseId, ContactPolicyId, CustomerId, DepartmentId, InfluencerId, InteractionId, InteractionPointId,
        MediumId, OrganizationId,
    },
    kind::Duration,
    personal::STAFF,
};

crate::string_enum! {
    /// Status of an interaction.
    InteractionStatus as "InteractionStatus" {
        /// Planned; the customer has not confirmed it.
        Scheduled = "SCHEDULED",
        /// Planned, and confirmed with the customer.
        Confirmed = "CONFIRMED",
        /// It took place.
        Completed = "COMPLETED",
        /// Called off before it took place.
        Cancelled = "CANCELLED",
        /// The customer did not come.
        NoShow = "NO_SHOW",
    }
}

crate::string_enum! {
    /// Direction of an interaction.
    InteractionDirection as "InteractionDirection" {
        /// From the customer to the organization.
        Inbound = "INBOUND",
        /// From the organization to the customer.
        Outbound = "OUTBOUND",
    }
}

crate::string_enum! {
    /// Purpose of an interaction.
    InteractionPurpose as "InteractionPurpose" {
        /// To sell something.
        Sell = "SELL",
        /// To teach the customer something.
        Educate = "EDUCATE",
        /// To do something for the customer.
        Serve = "SERVE",
        /// To learn something about the customer.
        Learn = "LEARN",
        /// To repair a product.
        Repair = "REPAIR",
        /// To collect a payment, a product or data.
        Collect = "COLLECT",
        /// To confirm an appointment or an agreement.
        Confirm = "CONFIRM",
        /// To thank the customer.
        Thank = "THANK",
        /// To keep the customer informed.
        Update = "UPDATE",
        /// To share something useful or interesting.
        Share = "SHARE",
        /// Another purpose.
        Other = "OTHER",
    }
}

crate::string_enum! {
    /// Stage of the relationship, in the customer's buying cycle.
    RelationshipStage as "RelationshipStage" {
        /// The customer becomes aware of a need or of the organization.
        Awareness = "AWARENESS",
        /// The customer compares what there is.
        Consideration = "CONSIDERATION",
        /// The customer decides and buys.
        Purchase = "PURCHASE",
        /// The customer receives the product and learns to use it.
        Onboarding = "ONBOARDING",
        /// The customer uses the product.
        Use = "USE",
        /// The customer decides whether to buy again, or recommends.
        Renewal = "RENEWAL",
        /// The customer has left.
        Ended = "ENDED",
    }
}

crate::string_enum! {
    /// Why an interaction was not eligible for an offer.
    IneligibilityReason as "IneligibilityReason" {
        /// The customer does not want offers.
        OptedOut = "OPTED_OUT",
        /// The customer had as many offers as the organization allows.
        CapReached = "CAP_REACHED",
        /// A case of the customer is open.
        OpenCase = "OPEN_CASE",
        /// No offer would have suited the customer.
        NotSuitable = "NOT_SUITABLE",
    }
}

/// A communication with a customer that is planned or took place, or an event in which a customer considers or uses a
/// product. Point and customer are optional: an interaction without a point is one that the map does not cover, one
/// without a customer is, for example, a letter to everybody or an anonymous call.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "interaction")]
#[noun(
    prefix = "inter", read = RecordRead, write = RecordWrite, operations = PART, external_ids,
    order(assessments, offers_made, feedback_records), timeline(at(occurred_at, scheduled_at, created_at))
)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InteractionId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Status. A new interaction may have any status: COMPLETED for one that took place already. Afterwards, transitions
    /// change it; upserts and imports may set it to a status that transitions can reach.
    #[noun(ordered, lifecycle(
        initial = Scheduled,
        on_create,
        confirm(from(Scheduled), to = Confirmed, stamps = confirmed_at, doc = "Records that the customer confirmed a \
            scheduled interaction."),
        reschedule(from(Scheduled, Confirmed, Cancelled, NoShow), to = Scheduled, requires(scheduled_at),
            doc = "Moves an interaction that did not take place to another time. It must be confirmed anew."),
        complete(from(Scheduled, Confirmed), to = Completed, accepts(occurred_at, duration, summary, next_step),
            doc = "Records that an interaction took place; occurredAt defaults to the current time."),
        cancel(from(Scheduled, Confirmed), to = Cancelled, accepts(summary), doc = "Calls an interaction off."),
        miss(from(Scheduled, Confirmed), to = NoShow, accepts(summary), doc = "Records that the customer did not come."),
    ))]
    pub status: InteractionStatus,
    /// Direction; null if it has none, for example when a customer uses a product.
    #[noun(optional)]
    pub direction: Option<InteractionDirection>,
    /// Purpose of the interaction.
    #[noun(optional, ordered)]
    pub purpose: Option<InteractionPurpose>,
    /// Stage of the relationship, in the customer's buying cycle.
    #[noun(optional)]
    pub stage: Option<RelationshipStage>,
    /// Whether a machine spoke for the organization.
    #[noun(default = "false")]
    pub is_automated: bool,
    /// When it is scheduled, UTC; null if it was not scheduled or no time is agreed.
    #[noun(optional, ordered)]
    pub scheduled_at: Option<ChronoUnixTimestampMillis>,
    /// When the customer last confirmed it, UTC; null if it is not confirmed.
    pub confirmed_at: Option<ChronoUnixTimestampMillis>,
    /// When it took place, UTC. Defaults to the current time for a COMPLETED interaction; null for any other.
    #[noun(optional, ordered, expires)]
    pub occurred_at: Option<ChronoUnixTimestampMillis>,
    /// How long it took.
    #[noun(optional)]
    pub duration: Option<Duration>,
    /// The organization's objective.
    #[noun(optional, max = 2000, personal = FreeText)]
    pub our_objective: Option<String>,
    /// Whether the organization's objective was reached; null if unknown.
    #[noun(optional)]
    pub is_our_objective_reached: Option<bool>,
    /// The customer's objective.
    #[noun(optional, max = 2000, personal = FreeText)]
    pub their_objective: Option<String>,
    /// Whether the customer's objective was reached; null if unknown.
    #[noun(optional)]
    pub is_their_objective_reached: Option<bool>,
    /// How relevant the customer found it, from 1 (not at all) to 7 (entirely).
    #[noun(optional, min = 1, max = 7)]
    pub relevance: Option<i64>,
    /// How well timed the customer found it, from 1 (badly) to 7 (perfectly).
    #[noun(optional, min = 1, max = 7)]
    pub timing: Option<i64>,
    /// What the organization learned about the customer.
    #[noun(optional, max = 2000, personal = FreeText)]
    pub learned: Option<String>,
    /// What the customer learned from the organization.
    #[noun(optional, max = 2000, personal = FreeText)]
    pub taught: Option<String>,
    /// Summary of the interaction.
    #[noun(optional, searchable, max = 20000, personal = FreeText)]
    pub summary: Option<String>,
    /// Folded copy of `summary` for search.
    pub summary_folded: Option<String>,
    /// What happens next.
    #[noun(optional, max = 2000, personal = FreeText)]
    pub next_step: Option<String>,
    /// Subject of the member of staff who took part.
    #[noun(optional, max = 255, personal = Identifier, unguarded, retained_because = STAFF)]
    pub staff_subject: Option<String>,
    /// Why it was not eligible for an offer; null if it was. A completed interaction that was eligible and in which no
    /// offer was made counts as a missed opportunity.
    #[noun(optional)]
    pub not_eligible_because: Option<IneligibilityReason>,
    /// The rule of `brokenContactPolicy` that it broke. The server says so of an OUTBOUND COMPLETED interaction when it is
    /// recorded, and again when its time, customer, medium or purpose changes; null if it broke none that held then.
    pub broken_contact_rule: Option<ContactRule>,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200), personal = FreeText)]
    pub attributes: String,
    /// Interaction point at which it takes place; null if the map does not cover it. Fails with INVALID if an assessment
    /// of the interaction is of another point.
    #[noun(optional, inverse(interactions = "Interactions at this point."))]
    pub point_id: Option<InteractionPointId>,
    /// Medium of the interaction.
    #[noun(optional, inverse(interactions = "Interactions through this medium."))]
    pub medium_id: Option<MediumId>,
    /// Customer who takes part; null if it is nobody in particular.
    #[noun(optional, inverse(interactions = "Interactions with this customer."))]
    pub customer_id: Option<CustomerId>,
    /// Account that takes part.
    #[noun(optional, inverse(interactions = "Interactions with this account."))]
    pub account_id: Option<AccountId>,
    /// What moved the customer to it.
    #[noun(optional, inverse(interactions = "Interactions that it moved customers to."))]
    pub influencer_id: Option<InfluencerId>,
    /// Department that takes part.
    #[noun(optional, inverse(interactions = "Interactions of this department."))]
    pub department_id: Option<DepartmentId>,
    /// The case that it is about.
    #[noun(optional, inverse(interactions = "Interactions about the case."))]
    pub case_id: Option<CaseId>,
    /// The contact policy that it broke; see `brokenContactRule`.
    #[noun(inverse(broken_by = "Interactions that broke it."))]
    pub broken_contact_policy_id: Option<ContactPolicyId>,
    /// The interaction that this one answers.
    #[noun(optional, inverse(replies = "Interactions that answer this one."))]
    pub reply_to_id: Option<InteractionId>,
}
