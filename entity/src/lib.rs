//! `SeaORM` models of the tables and the description of every noun. Independent of HTTP and callers.

#![expect(
    clippy::doc_markdown,
    reason = "doc comments of models are the API's descriptions, which name codes and fields"
)]

pub mod col;
pub mod field;
pub mod id;
pub mod kind;
pub mod lifecycle;
pub mod merging;
pub mod noun;
mod noun_enum;
pub mod permission;
pub mod personal;
pub mod relations;
pub mod relationship;
pub mod removal;
pub mod rollup;
pub mod string_enum;
pub mod tenanted;
pub mod upsert;

pub use col::Col;
pub(crate) use entity_derive::Noun;
pub use noun::Noun;
pub use noun_enum::{ChangeNoun, ImportNoun, SearchNoun, TimelineKind};
pub use permission::{Permission, Permissions};
pub use tenanted::Tenanted;

/// Declares the nouns: their modules, the types of their ids, and the lists of all nouns.
macro_rules! nouns {
    ($($noun:ident: $id:ident,)*) => {
        $(pub mod $noun;)*

        /// All nouns, in the order of the API.
        pub static NOUNS: [&Noun; TABLES.len()] = [$(&$noun::NOUN,)*];
        /// Tables of all nouns.
        pub(crate) const TABLES: &[&str] = &[$($noun::TABLE,)*];
        /// Value and description of each noun in the enum of nouns whose attributes may be personal; `None` if the noun
        /// has none.
        pub(crate) const ATTRIBUTE_VALUES: [Option<(&str, &str)>; TABLES.len()] = [$($noun::ATTRIBUTE_VALUE,)*];
        /// Value and description of each noun in the enum of nouns whose rows can expire; `None` if its rows cannot.
        pub(crate) const EXPIRY_VALUES: [Option<(&str, &str)>; TABLES.len()] = [$($noun::EXPIRY_VALUE,)*];
        /// Value and description of each noun in the enum of nouns on timelines; `None` if its rows do not stand on any.
        pub(crate) const TIMELINE_VALUES: [Option<(&str, &str)>; TABLES.len()] = [$($noun::TIMELINE_VALUE,)*];
        /// Value and description of each noun in the enum of nouns that a search can find; `None` if it cannot.
        pub(crate) const SEARCH_VALUES: [Option<(&str, &str)>; TABLES.len()] = [$($noun::SEARCH_VALUE,)*];
        /// Value and description of each noun in the enum of nouns that the change feed tells of; `None` if it does not.
        pub(crate) const CHANGE_VALUES: [Option<(&str, &str)>; TABLES.len()] = [$($noun::CHANGE_VALUE,)*];
        /// Value and description of each noun in the enum of nouns that a file can be imported into; `None` if none can.
        pub(crate) const IMPORT_VALUES: [Option<(&str, &str)>; TABLES.len()] = [$($noun::IMPORT_VALUE,)*];
        /// Relations that each noun declares.
        pub(crate) const DECLARED: &[&[relations::Declared]] = &[$($noun::DECLARED,)*];

        /// Types of ids, re-exported by `id`.
        mod ids {
            use sea_orm::entity::prelude::*;
            $(
                #[doc = concat!("Id of a row of `", stringify!($noun), "`.")]
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

        /// Returns each table with the columns of its model.
        pub fn models() -> [(&'static str, Vec<&'static str>); TABLES.len()] {
            use sea_orm::{IdenStatic, Iterable};
            [$(($noun::TABLE, $noun::Column::iter().map(|column| column.as_str()).collect()),)*]
        }
    };
}

// New nouns are registered here: the module of the model and the type of its ids.
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
    account: AccountId,
    customer: CustomerId,
    contact_point: ContactPointId,
    consent: ConsentId,
    occasion: OccasionId,
    purchase: PurchaseId,
    referral: ReferralId,
    content_item: ContentItemId,
    content_share: ContentShareId,
    interaction: InteractionId,
    assessment: AssessmentId,
    required_field: RequiredFieldId,
    offer_made: OfferMadeId,
    kano_answer: KanoAnswerId,
    feedback_record: FeedbackRecordId,
    testimonial: TestimonialId,
    unit: UnitId,
    unit_part: UnitPartId,
    repair: RepairId,
    routing_rule: RoutingRuleId,
    routing: RoutingId,
    member: MemberId,
    cause: CauseId,
    business_calendar: BusinessCalendarId,
    business_interval: BusinessIntervalId,
    holiday: HolidayId,
    response_policy: ResponsePolicyId,
    contact_policy: ContactPolicyId,
    case: CaseId,
    attempt: AttemptId,
    case_comment: CaseCommentId,
    deadline: DeadlineId,
    improvement: ImprovementId,
    notice: NoticeId,
    playbook: PlaybookId,
    follow_up: FollowUpId,
    calendar_feed: CalendarFeedId,
    attribute_definition: AttributeDefinitionId,
    retention_rule: RetentionRuleId,
    api_client: ApiClientId,
    trusted_document: TrustedDocumentId,
    webhook_endpoint: WebhookEndpointId,
    webhook_delivery: WebhookDeliveryId,
    import: ImportId,
    import_line: ImportLineId,
    event: AuditEntryId,
}

/// Decodes the id of a row of any noun as written in the API; `None` if it is malformed or has an unknown prefix.
pub fn row_id(text: &str) -> Option<sea_orm::prelude::Uuid> {
    let (prefix, id) = id::decode(text)?;
    NOUNS.iter().any(|noun| noun.prefix == prefix).then_some(id)
}

/// Returns the noun with this GraphQL type name.
pub fn noun_named(name: &str) -> Option<&'static Noun> {
    NOUNS.into_iter().find(|noun| noun.name == name)
}
