//! Messages: the points at which they are said are set whole.

use entity::{Permission, interaction_point, message::NOUN};

use super::{
    EXPECTED_VERSION,
    sets::{named, set_whole},
};
use crate::{
    Result,
    graphql::{
        input::Input,
        slice::{Argument, Done, Mutation, Slice},
    },
    store::Tx,
};

/// The slice.
pub const SLICE: Slice = Slice {
    mutations: &[Mutation {
        name: "messageSetPoints",
        doc: "Makes the interaction points at which a message is said exactly these.",
        permissions: &[Permission::MapWrite, Permission::MapRead],
        input: &[
            Argument { name: "id", ty: "ID!", default: None, doc: "The message." },
            Argument {
                name: "points",
                ty: "[InteractionPointRef!]!",
                default: None,
                doc: "All its interaction points, each once.",
            },
            EXPECTED_VERSION,
        ],
        run: |tx, input| Box::pin(set_points(tx, input)),
    }],
    ..Slice::new(&NOUN)
};

async fn set_points(tx: &Tx, input: &Input) -> Result<Done> {
    let wanted = named(input, "points", &interaction_point::NOUN)?;
    set_whole(tx, input, (&NOUN, "points"), wanted).await
}
