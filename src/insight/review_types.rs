//! What reviews look like on the wire.

use entity::{
    Noun, Permission, interaction_point,
    noun::{Field, Kind, Relationship},
    review_answer, review_question,
};

const COUNT: Kind = Kind::Int { min: 0, max: i64::MAX };
const SHARE: Kind = Kind::Float { min: 0.0, max: 1.0 };

/// How far the review of a point has come.
pub(super) static POINT_REVIEW: Noun = Noun::computed(
    "PointReview",
    "Progress of the review of an interaction point, and whether it is stale.",
    Permission::MapRead,
    &[
        Field::new(
            "questionCount",
            "question_count",
            COUNT,
            "Number of questions that are not archived: the denominator.",
        ),
        Field::new(
            "answeredCount",
            "answered_count",
            COUNT,
            "Number of these questions that have an answer at the point: the numerator.",
        ),
        Field::new(
            "completeness",
            "completeness",
            SHARE,
            "answeredCount divided by questionCount; null if there are no active questions.",
        )
        .nullable(),
        Field::new(
            "lastAnsweredAt",
            "last_answered_at",
            Kind::Instant,
            "Time of the newest answer to any question, UTC; null if the point was never reviewed.",
        )
        .nullable(),
        Field::new(
            "cadenceDays",
            "cadence_days",
            Kind::Int { min: 1, max: 3_650 },
            "Number of days after which the review is stale: the point's setting, otherwise the organization's; null \
             means never.",
        )
        .nullable(),
        Field::new(
            "dueAt",
            "due_at",
            Kind::Instant,
            "When the review is or was due, UTC: lastAnsweredAt plus cadenceDays; null if either is null.",
        )
        .nullable(),
        Field::new("isStale", "is_stale", Kind::Bool, "Whether the point was never reviewed, or dueAt has passed."),
    ],
    &[Relationship::one("point", &interaction_point::NOUN, ("point_id", false), "The interaction point.")],
);

/// How far the reviews of a journey have come.
pub(super) static JOURNEY_REVIEW: Noun = Noun::computed(
    "JourneyReview",
    "Progress of the reviews of the interaction points of a journey's steps. Each point counts once; nested journeys \
     are not included.",
    Permission::MapRead,
    &[
        Field::new("pointCount", "point_count", COUNT, "Number of interaction points of its steps."),
        Field::new("staleCount", "stale_count", COUNT, "Number of those points whose review is stale."),
        Field::new(
            "questionCount",
            "question_count",
            COUNT,
            "Number of active questions, counted once per point: the denominator.",
        ),
        Field::new(
            "answeredCount",
            "answered_count",
            COUNT,
            "Number of those questions that have an answer at the point: the numerator.",
        ),
        Field::new(
            "completeness",
            "completeness",
            SHARE,
            "answeredCount divided by questionCount; null if there are no active questions or no steps.",
        )
        .nullable(),
    ],
    &[],
);

/// A question and the answer of a point.
pub(super) static ITEM: Noun = Noun::computed(
    "ReviewItem",
    "An active question and its current answer at an interaction point.",
    Permission::MapRead,
    &[],
    &[
        Relationship::one("question", &review_question::NOUN, ("question_id", false), "The question."),
        Relationship::one(
            "answer",
            &review_answer::NOUN,
            ("answer_id", true),
            "The newest answer at the point; null if there is none.",
        ),
    ],
);

/// Points to be reviewed.
pub(super) static DUE: Noun = Noun::computed(
    "ReviewsDue",
    "Interaction points whose review is stale.",
    Permission::MapRead,
    &[Field::new("pointCount", "point_count", COUNT, "Total number of points, regardless of `first`.")],
    &[Relationship::embedded(
        "nodes",
        &POINT_REVIEW,
        true,
        "Points that were never reviewed, oldest first, followed by the others, most overdue first.",
    )],
);
