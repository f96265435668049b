//! A point at which the company meets its customers.

use sea_orm::entity::prelude::*;

use crate::{
    id::{DepartmentId, InteractionPointId, OrganizationId},
    noun::{FULL, Field, Kind, Link, Noun, Relationship, SYSTEM, StringEnum, Writable},
    permission::Permission,
};

crate::string_enum! {
    /// Where in the relationship a point stands.
    PointKind as "InteractionPointKind" {
        /// Where the customer buys.
        PointOfSale = "POINT_OF_SALE",
        /// Where the customer is served.
        PointOfService = "POINT_OF_SERVICE",
        /// Where something is repaired.
        PointOfRepair = "POINT_OF_REPAIR",
        /// Where the product is disposed of or returned.
        PointOfDisposal = "POINT_OF_DISPOSAL",
        /// Where the customer considers and compares.
        Consideration = "CONSIDERATION",
        /// Where questions are answered before a sale.
        PreSales = "PRE_SALES",
        /// Where money is asked for or paid.
        Billing = "BILLING",
        /// Where the product reaches the customer.
        Delivery = "DELIVERY",
        /// Where the customer uses the product.
        ProductUse = "PRODUCT_USE",
        /// Where the customer meets printed or published material.
        Material = "MATERIAL",
        /// Where the customer complains.
        Complaint = "COMPLAINT",
        /// Any other.
        Other = "OTHER",
    }
}

/// What an influencer's link to a point says.
pub static INFLUENCE: &[Field] = &[Field::new(
    "strength",
    "strength",
    Kind::Int { min: 1, max: 5 },
    "How strongly it moves the customer, 1 (hardly) to 5 (decides).",
)
.required()];

/// A point at which the company meets its customers.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "interaction_point")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InteractionPointId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Where in the relationship it stands.
    pub kind: PointKind,
    /// Name to show.
    pub name: String,
    /// The name folded for search.
    pub name_folded: String,
    /// What happens there.
    pub description: Option<String>,
    /// What we want there.
    pub objective: Option<String>,
    /// What the customer wants there.
    pub customer_objective: Option<String>,
    /// The public promise.
    pub promise: Option<String>,
    /// What is to be met there every time.
    pub standards: Option<String>,
    /// State of product usage.
    pub usage_state: Option<String>,
    /// Days after which it is to be reviewed again.
    pub review_cadence_days: Option<i64>,
    /// Department that owns it.
    pub owner_id: Option<DepartmentId>,
    /// When it was archived.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of an interaction point.
pub static NOUN: Noun = Noun {
    name: "InteractionPoint",
    singular: "interactionPoint",
    plural: "interactionPoints",
    table: "interaction_point",
    prefix: "point",
    doc: "A point at which the company meets its customers: any communication at any stage of the relationship, including seeing or using the product.",
    tenant: "organization_id",
    read: Some(Permission::MapRead),
    write: Permission::MapWrite,
    system: &SYSTEM,
    fields: &[
        Field::new("kind", "kind", Kind::Enum(PointKind::TYPE), "Where in the relationship it stands.")
            .default_value("OTHER")
            .ordered(),
        Field::new("name", "name", Kind::Text { max: 200 }, "Name to show.").required().ordered().searchable(),
        Field::new("description", "description", Kind::Text { max: 2000 }, "What it is, in a few sentences.")
            .optional(),
        Field::new("objective", "objective", Kind::Text { max: 2000 }, "What we want to reach there.").optional(),
        Field::new(
            "customerObjective",
            "customer_objective",
            Kind::Text { max: 2000 },
            "What the customer wants to reach there.",
        )
        .optional(),
        Field::new("promise", "promise", Kind::Text { max: 2000 }, "The public promise: what to expect.").optional(),
        Field::new(
            "standards",
            "standards",
            Kind::Text { max: 2000 },
            "Standards to be met there every time, whoever serves and over whichever medium: what the promise rests on.",
        )
        .optional(),
        Field::new(
            "usageState",
            "usage_state",
            Kind::Text { max: 200 },
            "State of product usage at this point, for example first use.",
        )
        .optional(),
        Field::new(
            "reviewCadenceDays",
            "review_cadence_days",
            Kind::Int { min: 1, max: 3_650 },
            "Days of 24 hours after which its review is stale; null for those of the organization.",
        )
        .optional(),
    ],
    relations: &[
        Relationship {
            name: "owner",
            target: &crate::department::NOUN,
            link: Link::One { column: "owner_id", is_nullable: true, writable: Writable::Optional },
            doc: "Department that owns it.",
        },
        Relationship {
            name: "mediums",
            target: &crate::medium::NOUN,
            link: Link::Through {
                table: "interaction_point_medium",
                from: "interaction_point_id",
                to: "medium_id",
                edge: &[],
            },
            doc: "Mediums it runs over. Set whole by interactionPointSetMediums.",
        },
        Relationship {
            name: "influencers",
            target: &crate::influencer::NOUN,
            link: Link::Through {
                table: "interaction_point_influencer",
                from: "interaction_point_id",
                to: "influencer_id",
                edge: INFLUENCE,
            },
            doc: "Influencers that bring customers to it. Set whole by interactionPointSetInfluencers.",
        },
        Relationship {
            name: "expectations",
            target: &crate::expectation::NOUN,
            link: Link::Many { column: "point_id" },
            doc: "What customers want there.",
        },
        Relationship {
            name: "assumptions",
            target: &crate::assumption::NOUN,
            link: Link::Many { column: "point_id" },
            doc: "What customers take for granted there.",
        },
        Relationship {
            name: "objectives",
            target: &crate::objective::NOUN,
            link: Link::Many { column: "point_id" },
            doc: "What the person, their company and we want to reach there.",
        },
        Relationship {
            name: "objectiveConflicts",
            target: &crate::objective_conflict::NOUN,
            link: Link::Many { column: "point_id" },
            doc: "Objectives of different owners that get in each other's way there.",
        },
        Relationship {
            name: "desiredResults",
            target: &crate::desired_result::NOUN,
            link: Link::Many { column: "point_id" },
            doc: "What customers want to have afterwards.",
        },
        Relationship {
            name: "offers",
            target: &crate::offer::NOUN,
            link: Link::Through {
                table: "interaction_point_offer",
                from: "interaction_point_id",
                to: "offer_id",
                edge: &[],
            },
            doc: "What is put before customers there. Set whole by interactionPointSetOffers.",
        },
        crate::evidence::behind("interaction_point_evidence", "interaction_point_id"),
        Relationship {
            name: "rankings",
            target: &crate::expectation_ranking::NOUN,
            link: Link::Many { column: "point_id" },
            doc: "Who changed its top five, when and how.",
        },
        Relationship {
            name: "messages",
            target: &crate::message::NOUN,
            link: Link::Through {
                table: "message_interaction_point",
                from: "interaction_point_id",
                to: "message_id",
                edge: &[],
            },
            doc: "What we say there. Set from the message, by messageSetPoints.",
        },
        Relationship {
            name: "reviewAnswers",
            target: &crate::review_answer::NOUN,
            link: Link::Many { column: "point_id" },
            doc: "All answers that reviews gave about it, earlier ones too; reviewItems shows those that hold.",
        },
        Relationship {
            name: "steps",
            target: &crate::step::NOUN,
            link: Link::Many { column: "point_id" },
            doc: "Where it stands in journeys.",
        },
        Relationship {
            name: "feedbackRecords",
            target: &crate::feedback_record::NOUN,
            link: Link::Many { column: "point_id" },
            doc: "What customers told us about it.",
        },
    ],
    operations: FULL,
    has_external_ids: true,
};
