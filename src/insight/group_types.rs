//! What groups of feedback records look like on the wire.

use entity::{
    Permission, department,
    feedback_record::FeedbackKind,
    interaction_point, medium,
    noun::{Field, Kind, Link, Named, Noun, Relationship, Writable},
};

entity::named! {
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

entity::named! {
    /// How groups are ordered.
    GroupOrder as "GroupOrder" {
        /// The largest first, then by key.
        Count = "COUNT",
        /// By bucket, then by key; absent keys first.
        Key = "KEY",
    }
}

const COUNT: Kind = Kind::Int { min: 0, max: i64::MAX };

const fn object(
    name: &'static str,
    doc: &'static str,
    fields: &'static [Field],
    relations: &'static [Relationship],
) -> Noun {
    Noun {
        name,
        singular: "",
        plural: "",
        table: "",
        prefix: "",
        doc,
        tenant: "",
        read: Some(Permission::RecordRead),
        write: Permission::RecordWrite,
        system: &[],
        fields,
        relations,
        operations: &[],
        has_external_ids: false,
    }
}

/// The mean of a score.
pub(super) static MEAN: Noun = object(
    "ScoreMean",
    "The mean of a score over the records that have one.",
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

const fn mean(name: &'static str, doc: &'static str) -> Relationship {
    Relationship { name, target: &MEAN, link: Link::Inside { is_list: false }, doc }
}

const fn key(name: &'static str, target: &'static Noun, column: &'static str, doc: &'static str) -> Relationship {
    Relationship { name, target, link: Link::One { column, is_nullable: true, writable: Writable::Never }, doc }
}

/// One group.
pub(super) static GROUP: Noun = object(
    "FeedbackRecordGroup",
    "Feedback records that share their keys. Keys that were not asked for are null.",
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
        key("point", &interaction_point::NOUN, "point_id", "Their interaction point."),
        key("medium", &medium::NOUN, "medium_id", "Their medium."),
        key("department", &department::NOUN, "department_id", "Their department."),
        mean("meanSentimentScore", "Mean of the sentiment score, -1 to 1."),
        mean("meanNps", "Mean of the net promoter answer, 0 to 10. Not the net promoter score."),
        mean("meanCsat", "Mean of the satisfaction answer, 1 to 5."),
        mean("meanCes", "Mean of the effort answer, 1 to 7."),
    ],
);

/// All groups.
pub static GROUPS: Noun = object(
    "FeedbackRecordGroups",
    "Feedback records counted by what they share.",
    &[
        Field::new(
            "recordCount",
            "record_count",
            COUNT,
            "Records the filter finds. Counts of the groups sum to it, unless grouped by tag.",
        ),
        Field::new("groupCount", "group_count", COUNT, "Groups there are, whatever `first` is."),
    ],
    &[Relationship { name: "nodes", target: &GROUP, link: Link::Inside { is_list: true }, doc: "The groups." }],
);
