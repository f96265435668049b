//! Interaction points: their mediums and influencers are set whole.

use entity::{
    Permission, influencer,
    interaction_point::{INFLUENCE, NOUN},
    medium,
    noun::Kind,
};

use super::{
    EXPECTED_VERSION,
    copy::POINT_COPY,
    expectation,
    sets::{named, set_whole},
};
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::{
        input::Input,
        slice::{Argument, Done, InputObject, Mutation, Slice},
    },
    store::Tx,
};

/// The point a mutation is about.
pub(super) const ID: Argument = Argument { name: "id", ty: "ID!", default: None, doc: "The interaction point." };

/// The slice.
pub const SLICE: Slice = Slice {
    mutations: &[
        Mutation {
            name: "interactionPointSetMediums",
            doc: "Makes the mediums of an interaction point exactly these.",
            permissions: &[Permission::MapWrite, Permission::MapRead],
            input: &[
                ID,
                Argument { name: "mediums", ty: "[MediumRef!]!", default: None, doc: "All its mediums, each once." },
                EXPECTED_VERSION,
            ],
            run: |tx, input| Box::pin(set_mediums(tx, input)),
        },
        Mutation {
            name: "interactionPointSetInfluencers",
            doc: "Makes the influencers of an interaction point exactly these.",
            permissions: &[Permission::MapWrite, Permission::MapRead],
            input: &[
                ID,
                Argument {
                    name: "influencers",
                    ty: "[InfluenceInput!]!",
                    default: None,
                    doc: "All its influencers, each once.",
                },
                EXPECTED_VERSION,
            ],
            run: |tx, input| Box::pin(set_influencers(tx, input)),
        },
        expectation::RANK,
        POINT_COPY,
    ],
    inputs: &[InputObject {
        name: "InfluenceInput",
        doc: "An influencer and how strongly it moves customers to a point.",
        fields: &[
            Argument { name: "influencer", ty: "InfluencerRef!", default: None, doc: "The influencer." },
            Argument { name: "strength", ty: "Int!", default: None, doc: "1 (hardly) to 5 (decides)." },
        ],
    }],
    ..Slice::new(&NOUN)
};

async fn set_mediums(tx: &Tx, input: &Input) -> Result<Done> {
    let wanted = named(input, "mediums", &medium::NOUN)?;
    set_whole(tx, input, (&NOUN, "mediums"), wanted).await
}

async fn set_influencers(tx: &Tx, input: &Input) -> Result<Done> {
    let Kind::Int { min, max } = INFLUENCE[0].kind else {
        return Err(Error::internal("a strength is a whole number"));
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
    set_whole(tx, input, (&NOUN, "influencers"), wanted).await
}
