//! What a customer told us, in their words.

use sea_orm::entity::prelude::*;

use crate::{
    id::{CustomerId, DepartmentId, FeedbackRecordId, InteractionPointId, MediumId, OrganizationId},
    noun::{Field, Kind, Link, Noun, Operation, Personal, Relationship, SYSTEM, StringEnum, Writable},
    permission::Permission,
};

crate::string_enum! {
    /// What sort of thing the customer told us.
    FeedbackKind as "FeedbackKind" {
        /// Something went wrong.
        Complaint = "COMPLAINT",
        /// Something could be better.
        Suggestion = "SUGGESTION",
        /// Something went well.
        Praise = "PRAISE",
        /// Something is unclear.
        Question = "QUESTION",
        /// Words we may quote.
        Testimonial = "TESTIMONIAL",
        /// An answer we asked for.
        Survey = "SURVEY",
    }
}

crate::string_enum! {
    /// The mood of what was said.
    Sentiment as "Sentiment" {
        /// Negative.
        Negative = "NEGATIVE",
        /// Neither.
        Neutral = "NEUTRAL",
        /// Positive.
        Positive = "POSITIVE",
    }
}

crate::string_enum! {
    /// How soon somebody should look at it.
    Priority as "Priority" {
        /// When there is time.
        Low = "LOW",
        /// In turn.
        Normal = "NORMAL",
        /// Before others.
        High = "HIGH",
        /// At once.
        Urgent = "URGENT",
    }
}

/// What a customer told us.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "feedback_record")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FeedbackRecordId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// What sort of thing.
    pub kind: FeedbackKind,
    /// Its mood.
    pub sentiment: Option<Sentiment>,
    /// Its mood from -1 to 1.
    pub sentiment_score: Option<f64>,
    /// The words.
    pub body: Option<String>,
    /// The words folded for search.
    pub body_folded: Option<String>,
    /// BCP 47 language tag.
    pub language: Option<String>,
    /// When it reached us.
    pub received_at: ChronoUnixTimestampMillis,
    /// 0 to 10.
    pub nps: Option<i64>,
    /// 1 to 5.
    pub csat: Option<i64>,
    /// 1 to 7.
    pub ces: Option<i64>,
    /// Product it is about.
    pub product: Option<String>,
    /// JSON array of texts.
    pub tags: String,
    /// JSON array of named values.
    pub attributes: String,
    /// How soon to look at it.
    pub priority: Priority,
    /// Interaction point.
    pub point_id: Option<InteractionPointId>,
    /// Medium it came in over.
    pub medium_id: Option<MediumId>,
    /// Who said it.
    pub customer_id: Option<CustomerId>,
    /// Where it was routed.
    pub department_id: DepartmentId,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of a feedback record.
pub static NOUN: Noun = Noun {
    name: "FeedbackRecord",
    singular: "feedbackRecord",
    plural: "feedbackRecords",
    table: "feedback_record",
    prefix: "fb",
    doc: "What a customer told us, in their words. Routed to a department when created; updating it does not re-route it.",
    tenant: "organization_id",
    read: Some(Permission::RecordRead),
    write: Permission::RecordWrite,
    system: &SYSTEM,
    fields: &[
        Field::new("kind", "kind", Kind::Enum(FeedbackKind::TYPE), "What sort of thing the customer told us.")
            .required(),
        Field::new("sentiment", "sentiment", Kind::Enum(Sentiment::TYPE), "Mood of what was said.").optional(),
        Field::new(
            "sentimentScore",
            "sentiment_score",
            Kind::Float { min: -1.0, max: 1.0 },
            "Mood as a number, -1 (negative) to 1 (positive).",
        )
        .optional(),
        Field::new("body", "body", Kind::Text { max: 20000 }, "The customer's words.")
            .optional()
            .searchable()
            .personal(Personal::FreeText),
        Field::new("language", "language", Kind::Text { max: 35 }, "BCP 47 tag of the language of the body.")
            .optional(),
        Field::new("receivedAt", "received_at", Kind::Instant, "When it reached us, UTC. Left out, it is now.")
            .default_value("now")
            .ordered(),
        Field::new("nps", "nps", Kind::Int { min: 0, max: 10 }, "Net promoter score answer, 0 to 10.").optional(),
        Field::new("csat", "csat", Kind::Int { min: 1, max: 5 }, "Satisfaction answer, 1 to 5.").optional(),
        Field::new("ces", "ces", Kind::Int { min: 1, max: 7 }, "Effort answer, 1 to 7.").optional(),
        Field::new("product", "product", Kind::Text { max: 200 }, "Product it is about.").optional().ordered(),
        Field::new(
            "tags",
            "tags",
            Kind::Tags { most: 50, max: 64 },
            "Up to 50 tags of up to 64 characters, each once, in alphabetical order.",
        )
        .default_value("[]"),
        Field::new(
            "attributes",
            "attributes",
            Kind::Attributes { most: 20, max: 200 },
            "Up to 20 named values, each name once.",
        )
        .default_value("[]")
        .personal(Personal::FreeText),
        Field::new(
            "priority",
            "priority",
            Kind::Enum(Priority::TYPE),
            "How soon somebody should look at it; set by routing.",
        ),
    ],
    relations: &[
        Relationship {
            name: "point",
            target: &crate::interaction_point::NOUN,
            link: Link::One { column: "point_id", is_nullable: true, writable: Writable::Optional },
            doc: "Interaction point it is about.",
        },
        Relationship {
            name: "medium",
            target: &crate::medium::NOUN,
            link: Link::One { column: "medium_id", is_nullable: true, writable: Writable::Optional },
            doc: "Medium it came in over.",
        },
        Relationship {
            name: "customer",
            target: &crate::customer::NOUN,
            link: Link::One { column: "customer_id", is_nullable: true, writable: Writable::Optional },
            doc: "Who said it, where known.",
        },
        Relationship {
            name: "department",
            target: &crate::department::NOUN,
            link: Link::One { column: "department_id", is_nullable: false, writable: Writable::Never },
            doc: "Department it is routed to. Changed by feedbackRecordReroute.",
        },
        Relationship {
            name: "routings",
            target: &crate::routing::NOUN,
            link: Link::Many { column: "feedback_record_id" },
            doc: "Every routing of it, with rule and reason.",
        },
    ],
    operations: &[
        Operation::List,
        Operation::Create,
        Operation::Update,
        Operation::Upsert,
        Operation::BulkUpsert,
        Operation::Delete,
    ],
    has_external_ids: true,
};
