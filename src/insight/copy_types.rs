//! API types of copy tests and candidates for recycling.

use entity::id::{MediumId, MessageId, MessageVariantId};

use crate::graphql::typed::{
    input::{Input, RefTo},
    output::Output,
};

/// Arguments of `copyTest`.
#[derive(Input)]
pub(super) struct CopyTestArguments {
    /// Whether to compare variants of different mediums too. Their audiences may differ as much as their texts.
    #[input(default)]
    pub across_mediums: bool,
    /// Maximum number of pairs, 1 to 1,000.
    #[input(default = 100, range = 1..=1_000)]
    pub first: i64,
}

/// Arguments of `recycleCandidates`.
#[derive(Input)]
pub(super) struct RecycleArguments {
    /// Restricts the list to this message. Defaults to all messages.
    pub message_ref: Option<RefTo<MessageId>>,
    /// Maximum number of candidates, 1 to 1,000.
    #[input(default = 100, range = 1..=1_000)]
    pub first: i64,
}

/// Response rate of a variant in a comparison.
#[derive(Output)]
#[output(read = MapRead)]
pub(super) struct CopyTestArm {
    /// Number of customers it was sent to: the denominator.
    pub sent_count: i64,
    /// Number of those customers who responded: the numerator.
    pub responded_count: i64,
    /// respondedCount divided by sentCount; null if it was not sent to anybody.
    pub proportion: Option<f64>,
    /// Lower bound of the Wilson interval of the proportion; null if the proportion is null.
    pub lower: Option<f64>,
    /// Upper bound of the interval; null if the lower bound is null.
    pub upper: Option<f64>,
    /// The variant.
    pub variant_id: MessageVariantId,
    /// Medium of the variant.
    pub medium_id: MediumId,
}

/// Comparison of two variants of a message.
#[derive(Output)]
#[output(read = MapRead)]
pub(super) struct CopyComparison {
    /// Whether both variants are for the same medium.
    pub is_same_medium: bool,
    /// Proportion of `one` minus that of `other`, -1 to 1; null if either was not sent to anybody.
    pub difference: Option<f64>,
    /// Lower bound of the interval of the difference (Newcombe, from the Wilson intervals); null if the difference is null.
    pub lower: Option<f64>,
    /// Upper bound of the interval; null if the lower bound is null.
    pub upper: Option<f64>,
    /// The older variant.
    pub one: CopyTestArm,
    /// The variant it is compared with.
    pub other: CopyTestArm,
    /// The variant with the higher proportion; null while the interval of the difference contains 0.
    pub winner_id: Option<MessageVariantId>,
}

/// Pairwise comparison of the variants of a message. Among many pairs, about one in twenty appears to differ by chance.
#[derive(Output)]
#[output(read = MapRead)]
pub(super) struct CopyTest {
    /// Name of the measure: `copy_test`.
    pub measure: String,
    /// Version of the definition of the measure. Values of different versions are not comparable.
    pub measure_version: i64,
    /// Definition of the measure in one sentence.
    pub definition: String,
    /// Total number of pairs, regardless of `first`.
    pub comparison_count: i64,
    /// Confidence level of the intervals: 0.95.
    pub confidence: f64,
    /// The pairs, sorted by age of the first variant, then of the second.
    pub comparisons: Vec<CopyComparison>,
}

/// A medium for which a message has no variant.
#[derive(Output)]
#[output(read = MapRead)]
pub(super) struct UntriedMedium {
    /// The medium.
    pub medium_id: MediumId,
}

/// A variant that won in its medium, and the mediums in which its message has not been tried.
#[derive(Output)]
#[output(read = MapRead)]
pub(super) struct RecycleCandidate {
    /// Share of recipients who responded.
    pub proportion: f64,
    /// The message.
    pub message_id: MessageId,
    /// The winning variant: better than another variant of the message in its medium, with an interval of the difference
    /// that excludes 0, and worse than none.
    pub winner_id: MessageVariantId,
    /// Medium in which the variant won.
    pub medium_id: MediumId,
    /// Mediums for which the message has no variant, not even an archived one, sorted by name. Archived mediums and
    /// categories are omitted.
    pub untried: Vec<UntriedMedium>,
}

/// Texts that are proven in one medium and untried in another.
#[derive(Output)]
#[output(read = MapRead)]
pub(super) struct RecycleCandidates {
    /// Total number of candidates, regardless of `first`.
    pub candidate_count: i64,
    /// The candidates, sorted by age of the message, oldest first.
    pub nodes: Vec<RecycleCandidate>,
}
