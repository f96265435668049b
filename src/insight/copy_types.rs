//! What copy tests and candidates for recycling look like on the wire.

use entity::{
    Noun, Permission, medium, message, message_variant,
    noun::{Field, Kind, Relationship},
};

const COUNT: Kind = Kind::Int { min: 0, max: i64::MAX };
const SHARE: Kind = Kind::Float { min: 0.0, max: 1.0 };
const DIFFERENCE: Kind = Kind::Float { min: -1.0, max: 1.0 };

/// One variant in a comparison.
pub(super) static ARM: Noun = Noun::computed(
    "CopyTestArm",
    "Response rate of a variant in a comparison.",
    Permission::MapRead,
    &[
        Field::new("sentCount", "sent_count", COUNT, "Number of customers it was sent to: the denominator."),
        Field::new(
            "respondedCount",
            "responded_count",
            COUNT,
            "Number of those customers who responded: the \
            numerator.",
        ),
        Field::new(
            "proportion",
            "proportion",
            SHARE,
            "respondedCount divided by sentCount; null if it was not sent to anybody.",
        )
        .nullable(),
        Field::new(
            "lower",
            "lower",
            SHARE,
            "Lower bound of the Wilson interval of the proportion; null if the \
                                             proportion is null.",
        )
        .nullable(),
        Field::new("upper", "upper", SHARE, "Upper bound of the interval; null if the lower bound is null.").nullable(),
    ],
    &[
        Relationship::one("variant", &message_variant::NOUN, ("variant_id", false), "The variant."),
        Relationship::one("medium", &medium::NOUN, ("medium_id", false), "Its medium."),
    ],
);

/// Two variants compared.
pub(super) static COMPARISON: Noun = Noun::computed(
    "CopyComparison",
    "Comparison of two variants of a message.",
    Permission::MapRead,
    &[
        Field::new("isSameMedium", "is_same_medium", Kind::Bool, "Whether both variants are for the same medium."),
        Field::new(
            "difference",
            "difference",
            DIFFERENCE,
            "Proportion of `one` minus that of `other`, -1 to 1; null if either was not sent to anybody.",
        )
        .nullable(),
        Field::new(
            "lower",
            "lower",
            DIFFERENCE,
            "Lower bound of the interval of the difference (Newcombe, from the Wilson intervals); null if the \
             difference is null.",
        )
        .nullable(),
        Field::new("upper", "upper", DIFFERENCE, "Upper bound of the interval; null if the lower bound is null.")
            .nullable(),
    ],
    &[
        Relationship::embedded("one", &ARM, false, "The older variant."),
        Relationship::embedded("other", &ARM, false, "The variant it is compared with."),
        Relationship::one(
            "winner",
            &message_variant::NOUN,
            ("winner_id", true),
            "The variant with the higher proportion; null while the interval of the difference contains 0.",
        ),
    ],
);

/// The comparisons of one message.
pub(super) static COPY_TEST: Noun = Noun::computed(
    "CopyTest",
    "Pairwise comparison of the variants of a message. Among many pairs, about one in twenty appears to differ by \
     chance.",
    Permission::MapRead,
    &[
        Field::new("measure", "measure", Kind::Text { max: 64 }, "Name of the measure: `copy_test`."),
        Field::new(
            "measureVersion",
            "measure_version",
            Kind::Int { min: 1, max: i64::MAX },
            "Version of the definition of the measure. Values of different versions are not comparable.",
        ),
        Field::new("definition", "definition", Kind::Text { max: 2000 }, "Definition of the measure in one sentence."),
        Field::new("comparisonCount", "comparison_count", COUNT, "Total number of pairs, regardless of `first`."),
        Field::new("confidence", "confidence", SHARE, "Confidence level of the intervals: 0.95."),
    ],
    &[Relationship::embedded(
        "comparisons",
        &COMPARISON,
        true,
        "The pairs, sorted by age of the first variant, then of the second.",
    )],
);

/// A medium in which a message was not tried.
pub(super) static UNTRIED: Noun = Noun::computed(
    "UntriedMedium",
    "A medium for which a message has no variant.",
    Permission::MapRead,
    &[],
    &[Relationship::one("medium", &medium::NOUN, ("medium_id", false), "The medium.")],
);

/// What can be recycled.
pub(super) static CANDIDATE: Noun = Noun::computed(
    "RecycleCandidate",
    "A variant that won in its medium, and the mediums in which its message has not been tried.",
    Permission::MapRead,
    &[Field::new("proportion", "proportion", SHARE, "Share of recipients who responded.")],
    &[
        Relationship::one("message", &message::NOUN, ("message_id", false), "The message."),
        Relationship::one(
            "winner",
            &message_variant::NOUN,
            ("winner_id", false),
            "The winning variant: better than another variant of the message in its medium, with an interval of the \
             difference that excludes 0, and worse than none.",
        ),
        Relationship::one("medium", &medium::NOUN, ("medium_id", false), "Medium in which the variant won."),
        Relationship::embedded(
            "untried",
            &UNTRIED,
            true,
            "Mediums for which the message has no variant, not even an archived one, sorted by name. Archived mediums \
             and categories are omitted.",
        ),
    ],
);

/// All that can be recycled.
pub(super) static CANDIDATES: Noun = Noun::computed(
    "RecycleCandidates",
    "Texts that are proven in one medium and untried in another.",
    Permission::MapRead,
    &[Field::new("candidateCount", "candidate_count", COUNT, "Total number of candidates, regardless of `first`.")],
    &[Relationship::embedded("nodes", &CANDIDATE, true, "The candidates, sorted by age of the message, oldest first.")],
);
