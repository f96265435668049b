//! API types of coverage.

use entity::id::{ExpectationId, InteractionPointId, JourneyId, OfferId};
use sea_orm::prelude::Uuid;

use crate::graphql::typed::{
    input::{Input, RefTo},
    output::Output,
};

entity::string_enum! {
    /// Kind of gap in the map.
    CoverageKey as "CoverageKey" {
        /// Points without expectations, out of all points.
        NoExpectations = "NO_EXPECTATIONS",
        /// Points that rank fewer expectations than five and than they have, out of all points with expectations.
        TopFiveNotChosen = "TOP_FIVE_NOT_CHOSEN",
        /// Points without influencers, out of all points.
        NoInfluencers = "NO_INFLUENCERS",
        /// Points without mediums, out of all points.
        NoMediums = "NO_MEDIUMS",
        /// Points without offers, out of all points.
        NoOffers = "NO_OFFERS",
        /// Points without evidence, out of all points.
        NoEvidence = "NO_EVIDENCE",
        /// Points without an owning department, out of all points.
        NoOwner = "NO_OWNER",
        /// Points without feedback in the last `days` days, out of all points.
        NoRecentFeedback = "NO_RECENT_FEEDBACK",
        /// Points that are not part of a journey, out of all points of the organization.
        InNoJourney = "IN_NO_JOURNEY",
        /// Expectations without a target metric, out of all expectations of the points.
        ExpectationNotMeasured = "EXPECTATION_NOT_MEASURED",
        /// Offers that are not linked to a point, out of all offers of the organization.
        OfferAtNoPoint = "OFFER_AT_NO_POINT",
    }
}

impl CoverageKey {
    /// Returns the mutation that closes the gap, and the field of its input that takes the element.
    pub(super) const fn fix(self) -> (&'static str, &'static str) {
        match self {
            Self::NoExpectations => ("expectationCreate", "pointRef"),
            Self::TopFiveNotChosen => ("interactionPointRankExpectations", "by"),
            Self::NoInfluencers => ("interactionPointSetInfluencers", "by"),
            Self::NoMediums => ("interactionPointSetMediums", "by"),
            Self::NoOffers => ("interactionPointSetOffers", "by"),
            Self::NoEvidence => ("interactionPointSetEvidence", "by"),
            Self::NoOwner => ("interactionPointUpdate", "by"),
            Self::NoRecentFeedback => ("feedbackRecordCreate", "pointRef"),
            Self::InNoJourney => ("stepCreate", "pointRef"),
            Self::ExpectationNotMeasured => ("expectationUpdate", "by"),
            Self::OfferAtNoPoint => ("interactionPointSetOffers", "offers"),
        }
    }
}

/// Arguments of `coverage`.
#[derive(Input)]
pub(super) struct CoverageArguments {
    /// Restricts the report to the points of this journey. The result is null if it does not exist. Defaults to the whole
    /// organization.
    pub journey_ref: Option<RefTo<JourneyId>>,
    /// Number of days within which feedback counts as recent, 1 to 3,650.
    #[input(default = 90, range = 1..=3_650)]
    pub days: i64,
    /// Number of items to list per finding, oldest first, 0 to 100. Counts include all items.
    #[input(default = 25, range = 0..=100)]
    pub first: i64,
}

/// Gaps in the map of an organization or of a journey.
#[derive(Output)]
#[output(read = MapRead)]
pub(super) struct Coverage {
    /// Number of points examined.
    pub point_count: i64,
    /// Number of days within which feedback counted as recent.
    pub days: i64,
    /// The journey; null for the whole organization.
    pub journey_id: Option<JourneyId>,
    /// One finding per kind of gap, including those that do not occur.
    pub findings: Vec<CoverageFinding>,
}

/// A kind of gap and the elements that have it.
#[derive(Output)]
#[output(read = MapRead)]
pub(super) struct CoverageFinding {
    /// The kind of gap.
    pub key: CoverageKey,
    /// What is counted, out of what.
    pub definition: String,
    /// Number of gaps.
    pub count: i64,
    /// Number of elements examined.
    pub of: i64,
    /// `count` divided by `of`, 0 to 1; null if `of` is 0.
    pub share: Option<f64>,
    /// The mutation that closes the gap.
    pub mutation: String,
    /// The input field of that mutation that takes the item's elementId, as `id` of a reference or of a list of
    /// references.
    pub input_field: String,
    /// The elements that have the gap, at most `first`.
    pub items: Vec<CoverageItem>,
}

/// An element that has a gap.
#[derive(Output)]
#[output(read = MapRead)]
pub(super) struct CoverageItem {
    /// Type of the element, for example `InteractionPoint`.
    pub r#type: String,
    /// Id of the element, for `node` and the mutation.
    #[output(row_of = "type")]
    pub element_id: Uuid,
    /// The interaction point: the element itself or the point it belongs to; null if there is none.
    pub point_id: Option<InteractionPointId>,
    /// The expectation, if the element is one.
    pub expectation_id: Option<ExpectationId>,
    /// The offer, if the element is one.
    pub offer_id: Option<OfferId>,
}
