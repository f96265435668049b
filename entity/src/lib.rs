//! Tables as `SeaORM` models, and the description of every noun. Knows nothing of HTTP or callers.

#![expect(
    clippy::doc_markdown,
    reason = "doc comments of models are the API's descriptions, which name codes and fields"
)]

pub mod col;
pub mod field;
pub mod id;
pub mod kind;
pub mod lifecycle;
pub mod noun;
pub mod permission;
pub mod personal;
pub mod relations;
pub mod rollup;
pub mod string_enum;
pub mod tenanted;

pub use col::Col;
pub(crate) use entity_derive::Noun;
pub use noun::Noun;
pub use permission::{Permission, Permissions};
pub use tenanted::Tenanted;

/// Declares the nouns: a module for each, the type of its ids, and what is made of all of them.
macro_rules! nouns {
    ($($noun:ident: $id:ident,)*) => {
        $(pub mod $noun;)*

        /// Every noun, in the order of the language.
        pub static NOUNS: [&Noun; TABLES.len()] = [$(&$noun::NOUN,)*];
        /// Their tables.
        pub(crate) const TABLES: &[&str] = &[$($noun::TABLE,)*];
        /// The relations that they declare.
        pub(crate) const DECLARED: &[&[relations::Declared]] = &[$($noun::DECLARED,)*];

        /// The types of ids, for `id`.
        mod ids {
            use sea_orm::entity::prelude::*;
            $(
                #[doc = concat!("The id of a row of `", stringify!($noun), "`.")]
                #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, DeriveValueType)]
                pub struct $id(pub Uuid);
                impl sea_orm::TryFromU64 for $id {
                    fn try_from_u64(n: u64) -> Result<Self, DbErr> {
                        Uuid::try_from_u64(n).map(Self)
                    }
                }
                impl crate::col::ColumnType for $id {
                    type Value = Self;
                    fn from_value(value: Option<Self>) -> Option<Self> {
                        value
                    }
                }
                impl From<Uuid> for $id {
                    fn from(id: Uuid) -> Self {
                        Self(id)
                    }
                }
                impl From<$id> for Uuid {
                    fn from(id: $id) -> Self {
                        id.0
                    }
                }
            )*
        }

        /// The columns of every model, by table.
        pub fn models() -> [(&'static str, Vec<&'static str>); TABLES.len()] {
            use sea_orm::{IdenStatic, Iterable};
            [$(($noun::TABLE, $noun::Column::iter().map(|column| column.as_str()).collect()),)*]
        }
    };
}

// A new noun is registered here: the module with its model, and the type of its ids.
nouns! {
    organization: OrganizationId,
    department: DepartmentId,
    journey: JourneyId,
    stage: StageId,
    interaction_point: InteractionPointId,
    step: StepId,
    step_link: StepLinkId,
    journey_edition: JourneyEditionId,
    influencer: InfluencerId,
    medium: MediumId,
    expectation: ExpectationId,
    assumption: AssumptionId,
    objective: ObjectiveId,
    objective_conflict: ObjectiveConflictId,
    desired_result: DesiredResultId,
    offer: OfferId,
    evidence: EvidenceId,
    expectation_ranking: ExpectationRankingId,
    message: MessageId,
    message_variant: MessageVariantId,
    review_question: ReviewQuestionId,
    review_answer: ReviewAnswerId,
    customer: CustomerId,
    feedback_record: FeedbackRecordId,
    routing_rule: RoutingRuleId,
    routing: RoutingId,
    attribute_definition: AttributeDefinitionId,
    api_client: ApiClientId,
    event: AuditEntryId,
}

/// The id of a row of any noun, from how it is written on the wire.
pub fn row_id(text: &str) -> Option<sea_orm::prelude::Uuid> {
    let (prefix, id) = id::decode(text)?;
    NOUNS.iter().any(|noun| noun.prefix == prefix).then_some(id)
}

/// The noun of that GraphQL type name.
pub fn noun_named(name: &str) -> Option<&'static Noun> {
    NOUNS.into_iter().find(|noun| noun.name == name)
}
