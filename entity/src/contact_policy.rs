//! Contact policies: when and how often customers may be contacted.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    consent::ConsentPurpose,
    id::{ContactPolicyId, MediumId, OrganizationId},
    kind::LocalTime,
};

crate::string_enum! {
    /// Which rule of a contact policy a contact breaks.
    ContactRule as "ContactRule" {
        /// `mostContacts`: the customer would be contacted too often.
        Cap = "CAP",
        /// `quietFrom` and `quietUntil`: it would be during the quiet hours of the customer.
        QuietHours = "QUIET_HOURS",
        /// `isConsentRequired`: the customer has not consented.
        Consent = "CONSENT",
        /// `isRefusedDuringCase`: a case of the customer is open.
        OpenCase = "OPEN_CASE",
        /// `suppressAfterDeclined`: the customer declined too many offers.
        DeclinedOffers = "DECLINED_OFFERS",
        /// `suppressAfterPresented`: too many offers were presented to the customer.
        PresentedOffers = "PRESENTED_OFFERS",
    }
}

/// When and how often customers may be contacted. A contact is an OUTBOUND interaction with a customer; a policy covers
/// those that fulfil its conditions. Planning one, with the status SCHEDULED or CONFIRMED and a time, or moving it, fails
/// with CONTACT_NOT_ALLOWED if it breaks a rule of a policy that covers it; `contactAllowed` answers beforehand. What took
/// place is stored all the same: a COMPLETED contact names the policy that it broke as its `brokenContactPolicy`.
/// Archived policies do not count. An organization has at most 100 policies, archived ones included; more fail with
/// TOO_LONG. A day of a policy has 24 hours.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "contact_policy")]
#[noun(prefix = "cpol", read = RecordRead, write = ResponseWrite, operations = FULL, external_ids, unique(name))]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ContactPolicyId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Display name. One that another policy has, archived or not, fails with TAKEN.
    #[noun(required, ordered, searchable, max = 200)]
    pub name: String,
    /// Folded copy of `name` for search.
    pub name_folded: String,
    /// Condition: what the contact is for. MARKETING covers interactions with the purpose SELL or SHARE and those without
    /// a purpose, RESEARCH those with LEARN, SERVICE all others; none is for TESTIMONIAL.
    #[noun(optional)]
    pub purpose: Option<ConsentPurpose>,
    /// Condition: the customer has exactly this segment.
    #[noun(optional, max = 200)]
    pub segment: Option<String>,
    /// Rule: most contacts that the policy covers with one customer within any `periodDays`, 1 to 1,000, planned ones
    /// before and after included; null if there is no cap. Two contacts exactly one period apart are not within it.
    #[noun(optional, min = 1, max = 1000)]
    pub most_contacts: Option<i64>,
    /// Days that `mostContacts` is about, 1 to 366.
    #[noun(default = "30", min = 1, max = 366)]
    pub period_days: i64,
    /// Rule: since when the customer is not to be contacted, on the clock of the customer's time zone, or else of the
    /// organization's. Null is midnight if quietUntil is given. Fails with INVALID if all hours would be quiet, or none.
    #[noun(optional)]
    pub quiet_from: Option<LocalTime>,
    /// Until when the customer is not to be contacted, exclusive; before quietFrom, it is a time of the next day. Null is
    /// midnight if quietFrom is given.
    #[noun(optional)]
    pub quiet_until: Option<LocalTime>,
    /// Rule: whether the customer must have consented to what the contact is for. The newest decision about its medium, a
    /// category of that, or every medium holds.
    #[noun(default = "false")]
    pub is_consent_required: bool,
    /// Rule: whether the customer is not to be contacted while a case of the customer is open. A policy with the purpose
    /// MARKETING lets people contact the customer about the case.
    #[noun(default = "false")]
    pub is_refused_during_case: bool,
    /// Rule: after how many declined offers within `declinedWithinDays`, through whatever medium, the customer is not to
    /// be contacted, 1 to 1,000; null if that does not matter.
    #[noun(optional, min = 1, max = 1000)]
    pub suppress_after_declined: Option<i64>,
    /// Days that `suppressAfterDeclined` is about, 1 to 366.
    #[noun(default = "15", min = 1, max = 366)]
    pub declined_within_days: i64,
    /// For how many days after the last of these declined offers the customer is not to be contacted, 1 to 366.
    #[noun(default = "30", min = 1, max = 366)]
    pub declined_suppress_days: i64,
    /// Rule: after how many offers, whatever the answers, made in interactions within `presentedWithinDays`, the customer
    /// is not to be contacted, 1 to 1,000; null if that does not matter.
    #[noun(optional, min = 1, max = 1000)]
    pub suppress_after_presented: Option<i64>,
    /// Days that `suppressAfterPresented` is about, 1 to 366.
    #[noun(default = "30", min = 1, max = 366)]
    pub presented_within_days: i64,
    /// For how many days after the last of these offers the customer is not to be contacted, 1 to 366.
    #[noun(default = "7", min = 1, max = 366)]
    pub presented_suppress_days: i64,
    /// Condition: the contact is by this medium, or by one below it.
    #[noun(optional, inverse(contact_policies = "Contact policies about the medium."))]
    pub medium_id: Option<MediumId>,
    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
