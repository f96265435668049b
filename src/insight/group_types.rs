//! What groups of feedback records look like on the wire.

use entity::{
    Permission, department,
    feedback_record::FeedbackKind,
    interaction_point, medium,
    noun::{Field, Kind, Noun, Relationship, StringEnum},
};

use crate::graphql::planning::distinct::PAGE_INFO;

entity::string_enum! {
    /// Key by which feedback records can be grouped.
    GroupKey as "FeedbackRecordGroupKey" {
        /// The interaction point. Requires `map:read`.
        Point = "POINT",
        /// The medium. Requires `map:read`.
        Medium = "MEDIUM",
        /// The department the feedback is routed to. Requires `map:read`.
        Department = "DEPARTMENT",
        /// The kind of feedback.
        Kind = "KIND",
        /// The product.
        Product = "PRODUCT",
        /// The tag. A record with several tags counts under each of them, a record without tags under null.
        Tag = "TAG",
    }
}

entity::string_enum! {
    /// Sort order of groups.
    GroupOrder as "GroupOrder" {
        /// By count, largest first, then by key.
        Count = "COUNT",
        /// By bucket, then by key; nulls first.
        Key = "KEY",
    }
}

const COUNT: Kind = Kind::Int { min: 0, max: i64::MAX };

/// The mean of a score.
pub(super) static MEAN: Noun = Noun::computed(
    "ScoreMean",
    "Mean of a score over the records that have it.",
    Permission::RecordRead,
    &[
        Field::new(
            "mean",
            "mean",
            Kind::Float { min: f64::MIN, max: f64::MAX },
            "Sum of the scores divided by `n`; null if `n` is 0.",
        )
        .nullable(),
        Field::new("n", "n", COUNT, "Number of records that have the score."),
    ],
    &[],
);

/// A value of an attribute that a group shares.
pub(super) static ATTRIBUTE: Noun = Noun::computed(
    "FeedbackRecordGroupAttribute",
    "Value of an attribute that all records of a group share.",
    Permission::RecordRead,
    &[
        Field::new("name", "name", Kind::Text { max: 200 }, "Name of the attribute."),
        Field::new("value", "value", Kind::Text { max: 200 }, "Value of the attribute; null for records without it.")
            .nullable(),
    ],
    &[],
);

/// A tag that a group shares.
pub(super) static TAG: Noun = Noun::computed(
    "FeedbackRecordGroupTag",
    "Tag with a given prefix that all records of a group share.",
    Permission::RecordRead,
    &[
        Field::new("prefix", "name", Kind::Text { max: 64 }, "The prefix."),
        Field::new(
            "tag",
            "value",
            Kind::Text { max: 64 },
            "The full tag; null for records without a tag that has the \
            prefix.",
        )
        .nullable(),
    ],
    &[],
);

/// One group.
pub(super) static GROUP: Noun = Noun::computed(
    "FeedbackRecordGroup",
    "Feedback records with the same keys. Keys that are not grouped by are null.",
    Permission::RecordRead,
    &[
        Field::new("count", "count", COUNT, "Number of records in the group."),
        Field::new("kind", "kind", Kind::Enum(FeedbackKind::TYPE), "Their kind.").nullable(),
        Field::new("product", "product", Kind::Text { max: 200 }, "Their product.").nullable(),
        Field::new("tag", "tag", Kind::Text { max: 64 }, "A tag they carry.").nullable(),
        Field::new("bucketStart", "bucket_start", Kind::Instant, "Start of the bucket, inclusive, UTC.").nullable(),
        Field::new(
            "bucketEnd",
            "bucket_end",
            Kind::Instant,
            "End of the bucket, exclusive, UTC: the start of the next bucket.",
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
            "Values of the attributes named in `attributes`, in that order.",
        ),
        Relationship::embedded("tags", &TAG, true, "Tags for the prefixes in `tagPrefixes`, in that order."),
    ],
);

/// All groups.
pub static GROUPS: Noun = Noun::computed(
    "FeedbackRecordGroups",
    "Feedback records, grouped and counted.",
    Permission::RecordRead,
    &[
        Field::new(
            "recordCount",
            "record_count",
            COUNT,
            "Number of records that match the filter. The counts of all groups add up to it, unless records are \
             grouped by tags.",
        ),
        Field::new("groupCount", "group_count", COUNT, "Number of groups on all pages."),
    ],
    &[
        Relationship::embedded("nodes", &GROUP, true, "The groups of the page."),
        Relationship::embedded("pageInfo", &PAGE_INFO, false, "Position of the page among the groups."),
    ],
);
