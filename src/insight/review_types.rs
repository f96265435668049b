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
    "How far the review of an interaction point has come, and whether it is stale.",
    Permission::MapRead,
    &[
        Field::new(
            "questionCount",
            "question_count",
            COUNT,
            "Active questions, those not in the archive: the denominator.",
        ),
        Field::new(
            "answeredCount",
            "answered_count",
            COUNT,
            "Active questions that have an answer at the point: the numerator.",
        ),
        Field::new(
            "completeness",
            "completeness",
            SHARE,
            "answeredCount divided by questionCount; null when there are no active questions.",
        )
        .nullable(),
        Field::new(
            "lastAnsweredAt",
            "last_answered_at",
            Kind::Instant,
            "When the newest answer was given, to whichever question, UTC; null if the point was never reviewed.",
        )
        .nullable(),
        Field::new(
            "cadenceDays",
            "cadence_days",
            Kind::Int { min: 1, max: 3_650 },
            "Days after which the review is stale: those of the point, else of the organization; null for never.",
        )
        .nullable(),
        Field::new(
            "dueAt",
            "due_at",
            Kind::Instant,
            "When the review is or was due, UTC: lastAnsweredAt and cadenceDays together; null if either is.",
        )
        .nullable(),
        Field::new("isStale", "is_stale", Kind::Bool, "Whether the point was never reviewed, or dueAt has passed."),
    ],
    &[Relationship::one("point", &interaction_point::NOUN, ("point_id", false), "The interaction point.")],
);

/// How far the reviews of a journey have come.
pub(super) static JOURNEY_REVIEW: Noun = Noun::computed(
    "JourneyReview",
    "How far the reviews of the interaction points of a journey's steps have come: each point once, nested journeys not counted.",
    Permission::MapRead,
    &[
        Field::new("pointCount", "point_count", COUNT, "Interaction points of its steps."),
        Field::new("staleCount", "stale_count", COUNT, "Those of them whose review is stale."),
        Field::new(
            "questionCount",
            "question_count",
            COUNT,
            "Active questions, counted at each of the points: the denominator.",
        ),
        Field::new(
            "answeredCount",
            "answered_count",
            COUNT,
            "Those of them that have an answer at the point: the numerator.",
        ),
        Field::new(
            "completeness",
            "completeness",
            SHARE,
            "answeredCount divided by questionCount; null when there are no active questions or no steps.",
        )
        .nullable(),
    ],
    &[],
);

/// A question and the answer of a point.
pub(super) static ITEM: Noun = Noun::computed(
    "ReviewItem",
    "An active question, and the answer that holds at an interaction point.",
    Permission::MapRead,
    &[],
    &[
        Relationship::one("question", &review_question::NOUN, ("question_id", false), "The question."),
        Relationship::one(
            "answer",
            &review_answer::NOUN,
            ("answer_id", true),
            "The newest answer at the point; null while there is none.",
        ),
    ],
);

/// Points to be reviewed.
pub(super) static DUE: Noun = Noun::computed(
    "ReviewsDue",
    "Interaction points whose review is stale.",
    Permission::MapRead,
    &[Field::new("pointCount", "point_count", COUNT, "Points there are, whatever `first` is.")],
    &[Relationship::embedded(
        "nodes",
        &POINT_REVIEW,
        true,
        "Those never reviewed, the oldest first; then the others, those due longest first.",
    )],
);
