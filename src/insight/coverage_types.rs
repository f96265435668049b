//! What coverage looks like on the wire.

use entity::{
    Noun, Permission, expectation, interaction_point, journey,
    noun::{EnumType, Field, Kind, Link, Relationship, StringEnum, Writable},
    offer,
};

entity::string_enum! {
    /// What can be missing.
    CoverageKey as "CoverageKey" {
        /// Points of which no expectation is known, of all points.
        NoExpectations = "NO_EXPECTATIONS",
        /// Points of whose expectations fewer are ranked than five, or than there are, of all points with expectations.
        TopFiveNotChosen = "TOP_FIVE_NOT_CHOSEN",
        /// Points without influencers, of all points.
        NoInfluencers = "NO_INFLUENCERS",
        /// Points without mediums, of all points.
        NoMediums = "NO_MEDIUMS",
        /// Points without offers, of all points.
        NoOffers = "NO_OFFERS",
        /// Points without evidence behind them, of all points.
        NoEvidence = "NO_EVIDENCE",
        /// Points that no department owns, of all points.
        NoOwner = "NO_OWNER",
        /// Points on which no feedback was received in the last `days` days, of all points.
        NoRecentFeedback = "NO_RECENT_FEEDBACK",
        /// Points that stand in no journey, of all points of the organization.
        InNoJourney = "IN_NO_JOURNEY",
        /// Expectations that no one measures: without a metric of their target, of all expectations of the points.
        ExpectationNotMeasured = "EXPECTATION_NOT_MEASURED",
        /// Offers that are put before customers at no point, of all offers of the organization.
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
    "What is missing on the map of an organization, or of one journey.",
    Permission::MapRead,
    &[
        Field::new("pointCount", "point_count", COUNT, "Points that were looked at."),
        Field::new("days", "days", COUNT, "How many days back feedback was recent."),
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
            doc: "Every kind of gap, those that do not occur included.",
        },
    ],
);

static FINDING: Noun = Noun::computed(
    "CoverageFinding",
    "A kind of gap, and where it is.",
    Permission::MapRead,
    &[
        Field::new("key", "key", Kind::Enum(CoverageKey::TYPE), "What is missing."),
        Field::new("definition", "definition", Kind::Text { max: 2_000 }, "What is counted, and of what."),
        Field::new("count", "count", COUNT, "How many there are."),
        Field::new("of", "of", COUNT, "How many there could be."),
        Field::new(
            "share",
            "share",
            Kind::Float { min: 0.0, max: 1.0 },
            "count / of, 0 to 1; null when there is nothing to count.",
        )
        .nullable(),
        Field::new("mutation", "mutation", Kind::Text { max: 200 }, "The mutation that would mend it."),
        Field::new(
            "inputField",
            "input_field",
            Kind::Text { max: 200 },
            "The field of that mutation's input that takes an item's elementId: as it is in `id`, in a reference, or a list of references, as its `id`.",
        ),
    ],
    &[Relationship {
        name: "items",
        target: &ITEM,
        link: Link::Embedded { is_list: true },
        doc: "Where it is missing, as many as `first` says.",
    }],
);

static ITEM: Noun = Noun::computed(
    "CoverageItem",
    "An element of which something is missing.",
    Permission::MapRead,
    &[
        Field::new("type", "type", Kind::Text { max: 64 }, "Type of the element, for example InteractionPoint."),
        Field::new("elementId", "element_id", Kind::RowId { noun: "type" }, "Its id, for node(id) and the mutation."),
    ],
    &[
        Relationship {
            name: "point",
            target: &interaction_point::NOUN,
            link: Link::One { column: "point_id", is_nullable: true, writable: Writable::Never },
            doc: "The interaction point: the element itself, or the one it belongs to. Null if it belongs to none.",
        },
        Relationship {
            name: "expectation",
            target: &expectation::NOUN,
            link: Link::One { column: "expectation_id", is_nullable: true, writable: Writable::Never },
            doc: "The expectation, if it is one that lacks something.",
        },
        Relationship {
            name: "offer",
            target: &offer::NOUN,
            link: Link::One { column: "offer_id", is_nullable: true, writable: Writable::Never },
            doc: "The offer, if it is one that lacks something.",
        },
    ],
);
