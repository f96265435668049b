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
    "One variant in a comparison: how many of those it was sent to have responded.",
    Permission::MapRead,
    &[
        Field::new("sentCount", "sent_count", COUNT, "How many customers it was sent to: the denominator."),
        Field::new("respondedCount", "responded_count", COUNT, "How many of them responded: the numerator."),
        Field::new(
            "proportion",
            "proportion",
            SHARE,
            "respondedCount divided by sentCount; null if it was sent to nobody.",
        )
        .nullable(),
        Field::new("lower", "lower", SHARE, "Where the Wilson interval of the proportion begins; null with it.")
            .nullable(),
        Field::new("upper", "upper", SHARE, "Where it ends.").nullable(),
    ],
    &[
        Relationship::one("variant", &message_variant::NOUN, ("variant_id", false), "The variant."),
        Relationship::one("medium", &medium::NOUN, ("medium_id", false), "Its medium."),
    ],
);

/// Two variants compared.
pub(super) static COMPARISON: Noun = Noun::computed(
    "CopyComparison",
    "Two variants of a message compared.",
    Permission::MapRead,
    &[
        Field::new("isSameMedium", "is_same_medium", Kind::Bool, "Whether both are made for one medium."),
        Field::new(
            "difference",
            "difference",
            DIFFERENCE,
            "Proportion of `one` less that of `other`, -1 to 1; null if either was sent to nobody.",
        )
        .nullable(),
        Field::new(
            "lower",
            "lower",
            DIFFERENCE,
            "Where the interval of the difference begins (Newcombe, made of the Wilson intervals); null with it.",
        )
        .nullable(),
        Field::new("upper", "upper", DIFFERENCE, "Where it ends.").nullable(),
    ],
    &[
        Relationship::embedded("one", &ARM, false, "The variant that was made first."),
        Relationship::embedded("other", &ARM, false, "The variant it is compared with."),
        Relationship::one(
            "winner",
            &message_variant::NOUN,
            ("winner_id", true),
            "The variant with the greater proportion; null while the interval of the difference contains 0.",
        ),
    ],
);

/// The comparisons of one message.
pub(super) static COPY_TEST: Noun = Noun::computed(
    "CopyTest",
    "The variants of a message compared, each with each. Comparing many pairs, one in twenty seems to differ by chance.",
    Permission::MapRead,
    &[
        Field::new("measure", "measure", Kind::Text { max: 64 }, "Key of the measure: `copy_test`."),
        Field::new(
            "measureVersion",
            "measure_version",
            Kind::Int { min: 1, max: i64::MAX },
            "Version of its definition: another one counts otherwise.",
        ),
        Field::new("definition", "definition", Kind::Text { max: 2000 }, "What is computed, in a sentence."),
        Field::new("comparisonCount", "comparison_count", COUNT, "Pairs there are, whatever `first` is."),
        Field::new("confidence", "confidence", SHARE, "Confidence of the intervals: 0.95."),
    ],
    &[Relationship::embedded(
        "comparisons",
        &COMPARISON,
        true,
        "The pairs, by age of the first variant, then of the other.",
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
    "A variant that won in its medium, and the mediums in which its message was never tried.",
    Permission::MapRead,
    &[Field::new("proportion", "proportion", SHARE, "Share of those it was sent to that responded.")],
    &[
        Relationship::one("message", &message::NOUN, ("message_id", false), "The message."),
        Relationship::one(
            "winner",
            &message_variant::NOUN,
            ("winner_id", false),
            "The variant that won: better than another one of the message in its medium, with an interval of the difference that excludes 0, and worse than none.",
        ),
        Relationship::one("medium", &medium::NOUN, ("medium_id", false), "The medium in which it won."),
        Relationship::embedded(
            "untried",
            &UNTRIED,
            true,
            "Mediums for which the message has no variant, not even an archived one, by name. Mediums in the archive, and categories with mediums below them, are left out.",
        ),
    ],
);

/// All that can be recycled.
pub(super) static CANDIDATES: Noun = Noun::computed(
    "RecycleCandidates",
    "Words that have proved themselves in one medium and were never tried in another.",
    Permission::MapRead,
    &[Field::new("candidateCount", "candidate_count", COUNT, "Candidates there are, whatever `first` is.")],
    &[Relationship::embedded("nodes", &CANDIDATE, true, "The candidates, the oldest message first.")],
);
