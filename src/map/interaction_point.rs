//! Interaction points, with mutations that replace all linked rows of one relation.

use entity::{
    Permission,
    id::{InfluencerId, InteractionPointId},
    interaction_point::{Entity, NOUN},
};

use super::{copy::POINT_COPY, evidence::backed, expectation};
use crate::{
    Error, Result,
    graphql::{
        mutation::replace_links::set,
        slice::{Done, Module, Mutation},
        typed::{
            fields::MutationFn,
            input::{Input, RefTo},
        },
    },
    store::Tx,
};

/// GraphQL module of interaction points.
pub const SLICE: Module = Module {
    mutations: &[
        Mutation {
            name: "interactionPointSetInfluencers",
            doc: "Replaces the influencers of an interaction point.",
            permissions: &[Permission::MapWrite, Permission::MapRead],
            run: &MutationFn::new(|tx, input| Box::pin(set_influencers(tx, input))),
        },
        expectation::RANK,
        POINT_COPY,
    ],
    ..backed::<Entity>()
};

/// The new influencers of a point.
#[derive(Input)]
struct SetInfluencers {
    /// The interaction point.
    by: RefTo<InteractionPointId>,
    /// The complete list of its influencers, without duplicates.
    influencers: Vec<InfluenceInput>,
    /// The version you read; the mutation fails with CONFLICT if the row has changed since.
    expected_version: Option<i64>,
}

/// An influencer and its strength at a point.
#[derive(Input)]
struct InfluenceInput {
    /// The influencer.
    influencer: RefTo<InfluencerId>,
    /// How strongly it moves customers to the point, from 1 (weak) to 5 (decisive).
    #[input(range = 1..=5)]
    strength: i64,
}

async fn set_influencers(tx: &Tx, input: &SetInfluencers) -> Result<Done> {
    let line = |known: &InfluenceInput| (known.influencer.reference.clone(), vec![known.strength]);
    let wanted = input.influencers.iter().map(line).collect();
    let relation = NOUN.relation("influencers").ok_or_else(|| Error::internal("a point has influencers"))?;
    set(tx, (&NOUN, &input.by.reference, input.expected_version), relation, wanted).await
}

#[cfg(test)]
mod tests {
    use entity::{interaction_point::INFLUENCE, noun::Kind};

    #[test]
    fn the_input_takes_what_the_column_holds() {
        assert!(matches!(INFLUENCE[0].kind, Kind::Int { min: 1, max: 5 }));
    }
}
