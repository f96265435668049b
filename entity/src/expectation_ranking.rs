//! History of the top five expectations of an interaction point, kept as long as the point.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{ExpectationRankingId, InteractionPointId, OrganizationId},
    personal::STAFF,
};

/// A change of the top five expectations of an interaction point: who made it, when, and the ranking before and after.
/// Rows are only added: by a ranking, by the deletion of a ranked expectation, or by the copy of a point.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "expectation_ranking")]
#[noun(prefix = "ranking", read = MapRead, write = MapWrite, operations = [], without_events)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ExpectationRankingId,
    /// When the ranking changed, UTC.
    #[noun(ordered)]
    pub ranked_at: ChronoUnixTimestampMillis,
    /// Who changed the ranking: the subject of the access token.
    #[noun(max = 255, personal = Identifier, unguarded, retained_because = STAFF)]
    pub subject: String,
    /// Ranked expectations before the change, in the order of ranks: a list of objects with `rank` (1 to 5), `id` and
    /// the `statement` at that time.
    #[noun(json)]
    pub before: String,
    /// Ranked expectations after the change, in the same form.
    #[noun(json)]
    pub after: String,
    /// The interaction point whose ranking changed.
    #[noun(inverse(rankings = "History of its top five expectations."))]
    pub point_id: InteractionPointId,
}
