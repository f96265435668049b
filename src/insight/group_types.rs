//! API types of groups of feedback records.

use chrono_tz::Tz;
use entity::{
    feedback_record::{self, CesScale, FeedbackKind},
    id::{DepartmentId, InteractionPointId, MediumId},
    organization::Weekday,
};
use sea_orm::prelude::ChronoUnixTimestampMillis;

use crate::{
    calendar::BucketUnit,
    graphql::{
        planning::distinct::PageInfo,
        typed::{
            input::{FilterOf, Input},
            output::Output,
        },
    },
};

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

/// Time buckets by the time the feedback was received, in the calendar of a time zone. Buckets are contiguous, include
/// their start and exclude their end.
#[derive(Clone, Copy, Input)]
#[input(name = "BucketInput")]
pub(super) struct Bucket {
    /// Unit of a bucket.
    pub unit: BucketUnit,
    /// Time zone of the calendar. Defaults to the organization's.
    pub time_zone: Option<Tz>,
    /// First day of a week. Defaults to the organization's.
    pub week_start: Option<Weekday>,
}

/// Arguments of `feedbackRecordGroups`.
#[derive(Input)]
pub(super) struct GroupArguments {
    /// Conditions on the records; all of them must hold.
    pub filter: FilterOf<feedback_record::Entity>,
    /// Keys to group by, without duplicates.
    #[input(default)]
    pub group_by: Vec<GroupKey>,
    /// Names of up to three attributes to group by. Records without the attribute count under null. Requires
    /// `customers:read` unless an admin declared the attribute not personal.
    #[input(default, most = 3)]
    pub attributes: Vec<String>,
    /// A tag prefix to group by, at most one. A record with several matching tags counts under each of them, a record without
    /// one under null.
    #[input(default, most = 1)]
    pub tag_prefixes: Vec<String>,
    /// Time bucket to group by.
    pub bucket: Option<Bucket>,
    /// Sort order of the groups.
    #[input(default = GroupOrder::Count)]
    pub order_by: GroupOrder,
    /// Maximum number of groups, 1 to 10,000.
    #[input(default = 1_000, range = 1..=10_000)]
    pub first: i64,
    /// Returns the groups after this cursor: `pageInfo.endCursor` of the previous page of the same query.
    pub after: Option<String>,
}

/// Mean of a score over the records that have it.
#[derive(Default, Output)]
#[output(read = RecordRead)]
pub(super) struct ScoreMean {
    /// The mean: sum of the scores divided by `n`; null if `n` is 0.
    pub mean: Option<f64>,
    /// Number of records that have the score.
    pub n: i64,
}

/// Mean of the effort answers on one scale.
#[derive(Output)]
#[output(read = RecordRead)]
pub(super) struct FeedbackRecordGroupCes {
    /// The scale.
    pub scale: CesScale,
    /// The mean: sum of the answers divided by `n`.
    pub mean: f64,
    /// Number of answers.
    pub n: i64,
}

/// Value of an attribute that all records of a group share.
#[derive(Output)]
#[output(read = RecordRead)]
pub(super) struct FeedbackRecordGroupAttribute {
    /// Name of the attribute.
    pub name: String,
    /// Value of the attribute; null for records without it.
    pub value: Option<String>,
}

/// Tag with a given prefix that all records of a group share.
#[derive(Output)]
#[output(read = RecordRead)]
pub(super) struct FeedbackRecordGroupTag {
    /// The prefix.
    pub prefix: String,
    /// The full tag; null for records without a tag that has the prefix.
    pub tag: Option<String>,
}

/// Feedback records with the same keys. Keys that are not grouped by are null.
#[derive(Default, Output)]
#[output(read = RecordRead)]
pub(super) struct FeedbackRecordGroup {
    /// Number of records in the group.
    pub count: i64,
    /// Kind of the records.
    pub kind: Option<FeedbackKind>,
    /// Product of the records.
    pub product: Option<String>,
    /// A tag of the records.
    pub tag: Option<String>,
    /// Start of the bucket, inclusive, UTC.
    pub bucket_start: Option<ChronoUnixTimestampMillis>,
    /// End of the bucket, exclusive, UTC: the start of the next bucket.
    pub bucket_end: Option<ChronoUnixTimestampMillis>,
    /// Interaction point of the records.
    pub point_id: Option<InteractionPointId>,
    /// Medium of the records.
    pub medium_id: Option<MediumId>,
    /// Department of the records.
    pub department_id: Option<DepartmentId>,
    /// Mean of the sentiment score, -1 to 1.
    pub mean_sentiment_score: ScoreMean,
    /// Mean of the net promoter answer, 0 to 10. Not the net promoter score.
    pub mean_nps: ScoreMean,
    /// Mean of the satisfaction answer, 1 to 5.
    pub mean_csat: ScoreMean,
    /// Means of the effort answers, one for each scale that has answers.
    pub ces_means: Vec<FeedbackRecordGroupCes>,
    /// Values of the attributes named in `attributes`, in that order.
    pub attributes: Vec<FeedbackRecordGroupAttribute>,
    /// Tags for the prefixes in `tagPrefixes`, in that order.
    pub tags: Vec<FeedbackRecordGroupTag>,
}

/// Feedback records, grouped and counted.
#[derive(Output)]
#[output(read = RecordRead)]
pub(super) struct FeedbackRecordGroups {
    /// Number of records that match the filter. The counts of all groups add up to it, unless records are grouped by tags.
    pub record_count: i64,
    /// Number of groups on all pages.
    pub group_count: i64,
    /// The groups of the page.
    pub nodes: Vec<FeedbackRecordGroup>,
    /// Position of the page among the groups.
    pub page_info: PageInfo,
}
