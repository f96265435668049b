//! What coverage looks like on the wire.

use entity::{
    Noun, Permission, expectation, interaction_point, journey,
    noun::{EnumType, Field, Kind, Link, Relationship, StringEnum, Writable},
    offer,
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
    /// The mutation that would mend it, and the field of its input that takes the element.
    pub(super) const fn fix(self) -> (&'static str, &'static str) {
        match self {
            Self::NoExpectations => ("expectationCreate", "pointRef"),
            Self::TopFiveNotChosen => ("interactionPointRankExpectations", "id"),
            Self::NoInfluencers => ("interactionPointSetInfluencers", "id"),
            Self::NoMediums => ("interactionPointSetMediums", "id"),
            Self::NoOffers => ("interactionPointSetOffers", "id"),
            Self::NoEvidence => ("interactionPointSetEvidence", "id"),
            Self::NoOwner => ("interactionPointUpdate", "id"),
            Self::NoRecentFeedback => ("feedbackRecordCreate", "pointRef"),
            Self::InNoJourney => ("stepCreate", "pointRef"),
            Self::ExpectationNotMeasured => ("expectationUpdate", "id"),
            Self::OfferAtNoPoint => ("interactionPointSetOffers", "offers"),
        }
    }
}

/// The objects of the answer.
pub const OBJECTS: [&Noun; 3] = [&COVERAGE, &FINDING, &ITEM];

/// The enum of the answer.
pub const ENUM: &EnumType = CoverageKey::TYPE;

const COUNT: Kind = Kind::Int { min: 0, max: i64::MAX };

pub(super) static COVERAGE: Noun = Noun::computed(
    "Coverage",
    "Gaps in the map of an organization or of a journey.",
    Permission::MapRead,
    &[
        Field::new("pointCount", "point_count", COUNT, "Number of points examined."),
        Field::new("days", "days", COUNT, "Number of days within which feedback counted as recent."),
    ],
    &[
        Relationship {
            name: "journey",
            target: &journey::NOUN,
            link: Link::One { column: "journey_id", is_nullable: true, writable: Writable::Never },
            doc: "The journey; null for the whole organization.",
        },
        Relationship {
            name: "findings",
            target: &FINDING,
            link: Link::Embedded { is_list: true },
            doc: "One finding per kind of gap, including those that do not occur.",
        },
    ],
);

static FINDING: Noun = Noun::computed(
    "CoverageFinding",
    "A kind of gap and the elements that have it.",
    Permission::MapRead,
    &[
        Field::new("key", "key", Kind::Enum(CoverageKey::TYPE), "The kind of gap."),
        Field::new("definition", "definition", Kind::Text { max: 2_000 }, "What is counted, out of what."),
        Field::new("count", "count", COUNT, "Number of gaps."),
        Field::new("of", "of", COUNT, "Number of elements examined."),
        Field::new(
            "share",
            "share",
            Kind::Float { min: 0.0, max: 1.0 },
            "`count` divided by `of`, 0 to 1; null if `of` is 0.",
        )
        .nullable(),
        Field::new("mutation", "mutation", Kind::Text { max: 200 }, "The mutation that closes the gap."),
        Field::new(
            "inputField",
            "input_field",
            Kind::Text { max: 200 },
            "The input field of that mutation that takes the item's elementId: directly in `id`, otherwise as `id` of \
             a reference or of a list of references.",
        ),
    ],
    &[Relationship {
        name: "items",
        target: &ITEM,
        link: Link::Embedded { is_list: true },
        doc: "The elements that have the gap, at most `first`.",
    }],
);

static ITEM: Noun = Noun::computed(
    "CoverageItem",
    "An element that has a gap.",
    Permission::MapRead,
    &[
        Field::new("type", "type", Kind::Text { max: 64 }, "Type of the element, for example InteractionPoint."),
        Field::new(
            "elementId",
            "element_id",
            Kind::RowId { noun: "type" },
            "Id of the element, for `node` and the \
            mutation.",
        ),
    ],
    &[
        Relationship {
            name: "point",
            target: &interaction_point::NOUN,
            link: Link::One { column: "point_id", is_nullable: true, writable: Writable::Never },
            doc: "The interaction point: the element itself or the point it belongs to; null if there is none.",
        },
        Relationship {
            name: "expectation",
            target: &expectation::NOUN,
            link: Link::One { column: "expectation_id", is_nullable: true, writable: Writable::Never },
            doc: "The expectation, if the element is one.",
        },
        Relationship {
            name: "offer",
            target: &offer::NOUN,
            link: Link::One { column: "offer_id", is_nullable: true, writable: Writable::Never },
            doc: "The offer, if the element is one.",
        },
    ],
);
