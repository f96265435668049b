//! Interaction points: their mediums and influencers are set whole.

use entity::{
    Permission, influencer,
    interaction_point::{INFLUENCE, NOUN},
    medium,
    noun::{Kind, Noun, Relationship},
};

use super::{EXPECTED_VERSION, copy::POINT_COPY, expectation};
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::{
        input::Input,
        slice::{Argument, Done, InputObject, Mutation, Slice},
    },
    store::{
        Tx,
        draft::{Outcome, Reference},
    },
};

/// Most rows of a set.
const MOST: usize = 1_000;

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
    let wanted: Vec<(Reference, Vec<i64>)> = input
        .list("mediums")
        .into_iter()
        .map(|item| Ok((Input::reference("mediums", item, &medium::NOUN)?, Vec::new())))
        .collect::<Result<_>>()?;
    set(tx, input, "mediums", &medium::NOUN, wanted).await
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
    set(tx, input, "influencers", &influencer::NOUN, wanted).await
}

async fn set(
    tx: &Tx,
    input: &Input,
    field: &'static str,
    target: &'static Noun,
    wanted: Vec<(Reference, Vec<i64>)>,
) -> Result<Done> {
    if wanted.len() > MOST {
        return Ok(Err(vec![UserError::new(Code::TooLong, field, format!("there are more than {MOST}"))]));
    }
    let version = input.int("expectedVersion")?;
    let point = match tx.lock_one(&NOUN, Permission::MapWrite, input.id("id", &NOUN)?, version).await? {
        Ok(point) => point,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let found = tx.references(target, wanted.iter().map(|(reference, _)| reference)).await?;
    let (mut rows, mut mistakes) = (Vec::new(), Vec::new());
    for (index, (reference, values)) in wanted.into_iter().enumerate() {
        let mut refuse = |code, message: &str| {
            let path = vec![field.to_owned(), index.to_string()];
            mistakes.push(UserError { code, message: message.to_owned(), path });
        };
        match found.get(&reference) {
            None => refuse(Code::NotFound, &format!("no such {}", target.name)),
            Some(id) if rows.iter().any(|(known, _)| known == id) => refuse(Code::Invalid, "it is given twice"),
            Some(id) => rows.push((*id, values)),
        }
    }
    if !mistakes.is_empty() {
        return Ok(Err(mistakes));
    }
    let id = point.id();
    let relation: &'static Relationship =
        NOUN.relation(field).ok_or_else(|| Error::internal("a point has the relation that is set"))?;
    let is_changed = tx.set_links(&NOUN, point, relation, &rows).await?;
    Ok(Ok((id, if is_changed { Outcome::Updated } else { Outcome::Unchanged })))
}
