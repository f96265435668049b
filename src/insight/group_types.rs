//! What groups of feedback records look like on the wire.

use entity::{
    Permission, department,
    feedback_record::FeedbackKind,
    interaction_point, medium,
    noun::{Field, Kind, Noun, Relationship, StringEnum},
};

use crate::graphql::planning::distinct::PAGE_INFO;

entity::string_enum! {
    /// What feedback records can be grouped by.
    GroupKey as "FeedbackRecordGroupKey" {
        /// The interaction point. Needs `map:read`.
        Point = "POINT",
        /// The medium. Needs `map:read`.
        Medium = "MEDIUM",
        /// The department it is routed to. Needs `map:read`.
        Department = "DEPARTMENT",
        /// The kind of feedback.
        Kind = "KIND",
        /// The product.
        Product = "PRODUCT",
        /// The tag. A record with several tags counts under each of them, one without under null.
        Tag = "TAG",
    }
}

entity::string_enum! {
    /// How groups are ordered.
    GroupOrder as "GroupOrder" {
        /// The largest first, then by key.
        Count = "COUNT",
        /// By bucket, then by key; absent keys first.
        Key = "KEY",
    }
}

const COUNT: Kind = Kind::Int { min: 0, max: i64::MAX };

/// The mean of a score.
pub(super) static MEAN: Noun = Noun::computed(
    "ScoreMean",
    "The mean of a score over the records that have one.",
    Permission::RecordRead,
    &[
        Field::new(
            "mean",
            "mean",
            Kind::Float { min: f64::MIN, max: f64::MAX },
            "Sum of the scores divided by n; null when n is 0.",
        )
        .nullable(),
        Field::new("n", "n", COUNT, "Records that have the score."),
    ],
    &[],
);

/// A value of an attribute that a group shares.
pub(super) static ATTRIBUTE: Noun = Noun::computed(
    "FeedbackRecordGroupAttribute",
    "The value of an attribute that the records of a group share.",
    Permission::RecordRead,
    &[
        Field::new("name", "name", Kind::Text { max: 200 }, "Name of the attribute."),
        Field::new("value", "value", Kind::Text { max: 200 }, "Its value; null if they have no such attribute.")
            .nullable(),
    ],
    &[],
);

/// A tag that a group shares.
pub(super) static TAG: Noun = Noun::computed(
    "FeedbackRecordGroupTag",
    "The tag of a prefix that the records of a group share.",
    Permission::RecordRead,
    &[
        Field::new("prefix", "name", Kind::Text { max: 64 }, "The prefix."),
        Field::new("tag", "value", Kind::Text { max: 64 }, "The whole tag; null if they have none that begins so.")
            .nullable(),
    ],
    &[],
);

/// One group.
pub(super) static GROUP: Noun = Noun::computed(
    "FeedbackRecordGroup",
    "Feedback records that share their keys. Keys that were not asked for are null.",
    Permission::RecordRead,
    &[
        Field::new("count", "count", COUNT, "Records in the group."),
        Field::new("kind", "kind", Kind::Enum(FeedbackKind::TYPE), "Their kind.").nullable(),
        Field::new("product", "product", Kind::Text { max: 200 }, "Their product.").nullable(),
        Field::new("tag", "tag", Kind::Text { max: 64 }, "A tag they carry.").nullable(),
        Field::new("bucketStart", "bucket_start", Kind::Instant, "Start of the bucket, included, UTC.").nullable(),
        Field::new(
            "bucketEnd",
            "bucket_end",
            Kind::Instant,
            "End of the bucket, not included, UTC: the next one's start.",
        )
        .nullable(),
    ],
    &[
        Relationship::one("point", &interaction_point::NOUN, ("point_id", true), "Their interaction point."),
        Relationship::one("medium", &medium::NOUN, ("medium_id", true), "Their medium."),
        Relationship::one("department", &department::NOUN, ("department_id", true), "Their department."),
        Relationship::embedded("meanSentimentScore", &MEAN, false, "Mean of the sentiment score, -1 to 1."),
        Relationship::embedded(
            "meanNps",
            &MEAN,
            false,
            "Mean of the net promoter answer, 0 to 10. Not the net promoter score.",
        ),
        Relationship::embedded("meanCsat", &MEAN, false, "Mean of the satisfaction answer, 1 to 5."),
        Relationship::embedded("meanCes", &MEAN, false, "Mean of the effort answer, 1 to 7."),
        Relationship::embedded(
            "attributes",
            &ATTRIBUTE,
            true,
            "The attributes asked for in `attributes`, in that order.",
        ),
        Relationship::embedded("tags", &TAG, true, "The tags asked for in `tagPrefixes`, in that order."),
    ],
);

/// All groups.
pub static GROUPS: Noun = Noun::computed(
    "FeedbackRecordGroups",
    "Feedback records counted by what they share.",
    Permission::RecordRead,
    &[
        Field::new(
            "recordCount",
            "record_count",
            COUNT,
            "Records the filter finds. Counts of the groups sum to it, unless grouped by tags.",
        ),
        Field::new("groupCount", "group_count", COUNT, "Groups there are, whatever the page."),
    ],
    &[
        Relationship::embedded("nodes", &GROUP, true, "The groups of the page."),
        Relationship::embedded("pageInfo", &PAGE_INFO, false, "Where the page stands among the groups."),
    ],
);
