//! One change of the top five of an interaction point, kept as long as the point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{ExpectationRankingId, InteractionPointId, OrganizationId},
    personal::STAFF,
};

/// One change of the top five of an interaction point: who ranked the expectations anew, when, and how they stood
/// before and afterwards. Only ever added, by whatever changes ranks: a ranking, the deletion of a ranked expectation,
/// the copy of a point.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "expectation_ranking")]
#[noun(prefix = "ranking", read = MapRead, write = MapWrite, operations = [])]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExpectationRankingId,
    /// When, UTC.
    #[noun(ordered)]
    pub ranked_at: ChronoUnixTimestampMillis,
    /// Who: the subject of the token.
    #[noun(max = 255, personal = Identifier, unguarded, retained_because = STAFF)]
    pub subject: String,
    /// The ranked expectations before, by rank: a list of objects with `rank` (1 to 5), `id` and `statement`, which
    /// says it in the words of that time.
    #[noun(json)]
    pub before: String,
    /// The ranked expectations afterwards, in the same form.
    #[noun(json)]
    pub after: String,
    /// The interaction point.
    #[noun(inverse(rankings = "Who changed its top five, when and how."))]
    pub point_id: InteractionPointId,
}
