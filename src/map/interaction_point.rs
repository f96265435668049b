//! Interaction points: what belongs to them is set whole.

use entity::{
    Permission, influencer,
    interaction_point::{Entity, INFLUENCE, NOUN},
    noun::Kind,
};

use super::{EXPECTED_VERSION, copy::POINT_COPY, evidence::backed, expectation};
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::{
        mutation::{input::Input, replace_links::set},
        slice::{Argument, Done, InputObject, Module, Mutation, Run},
    },
    store::Tx,
};

/// The point a mutation is about.
pub(super) const ID: Argument = Argument { name: "id", ty: "ID!", default: None, doc: "The interaction point." };

/// The slice.
pub const SLICE: Module = Module {
    sets: &["mediums", "offers", "evidence"],
    mutations: &[
        Mutation {
            name: "interactionPointSetInfluencers",
            doc: "Replaces the influencers of an interaction point.",
            permissions: &[Permission::MapWrite, Permission::MapRead],
            input: &[
                ID,
                Argument {
                    name: "influencers",
                    ty: "[InfluenceInput!]!",
                    default: None,
                    doc: "The complete list of its influencers, without duplicates.",
                },
                EXPECTED_VERSION,
            ],
            run: Run::Direct(|tx, input| Box::pin(set_influencers(tx, input))),
        },
        expectation::RANK,
        POINT_COPY,
    ],
    inputs: &[InputObject {
        name: "InfluenceInput",
        doc: "An influencer and its strength at a point.",
        fields: &[
            Argument { name: "influencer", ty: "InfluencerRef!", default: None, doc: "The influencer." },
            Argument {
                name: "strength",
                ty: "Int!",
                default: None,
                doc: "How strongly it moves customers to the \
                point, from 1 (weak) to 5 (decisive).",
            },
        ],
    }],
    ..backed::<Entity>()
};

async fn set_influencers(tx: &Tx, input: &Input<'_>) -> Result<Done> {
    let Kind::Int { min, max } = INFLUENCE[0].kind else {
        return Err(Error::internal("the strength must be an integer"));
    };
    let (mut wanted, mut mistakes) = (Vec::new(), Vec::new());
    for (index, item) in input.list("influencers").into_iter().enumerate() {
        let item = Input::of("influencers", item)?;
        let named = item.present("influencer").ok_or_else(|| Error::BadInput("influencer must be given".to_owned()))?;
        let strength = item.int("strength")?.unwrap_or_default();
        if !(min..=max).contains(&strength) {
            let message = format!("the strength must be from {min} to {max}");
            mistakes.push(UserError {
                code: Code::OutOfRange,
                message,
                path: vec!["influencers".into(), index.to_string(), "strength".into()],
            });
        }
        wanted.push((Input::reference("influencer", named, &influencer::NOUN)?, vec![strength]));
    }
    if !mistakes.is_empty() {
        return Ok(Err(mistakes));
    }
    let relation = NOUN.relation("influencers").ok_or_else(|| Error::internal("a point has influencers"))?;
    set(tx, input, &NOUN, relation, wanted).await
}
