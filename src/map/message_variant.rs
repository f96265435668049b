//! Variants of messages: nobody responds to what was not sent.

use entity::message_variant::{NOUN, RESPONDED_COUNT, SENT_COUNT};

use crate::{
    error::Code,
    graphql::slice::Module,
    store::writing::{
        draft::Draft,
        write::{ChildOf, Hooks},
    },
};

/// The slice. Every variant is compared with every other one of its message: so there are not too many.
pub const SLICE: Module = Module {
    rules: Hooks {
        prepare: |_, drafts| {
            Box::pin(async {
                drafts.iter_mut().for_each(check_counts);
                Ok(())
            })
        },
        child_of: Some(ChildOf { relation: "message", position: None, most: 50 }),
        ..Hooks::NONE
    },
    ..Module::new(&NOUN)
};

fn check_counts(draft: &mut Draft) {
    let (sent, responded) = (draft.get(SENT_COUNT), draft.get(RESPONDED_COUNT));
    if responded > sent && draft.errors.is_empty() {
        let field = if draft.gives(RESPONDED_COUNT) { "respondedCount" } else { "sentCount" };
        draft.refuse(Code::OutOfRange, field, "respondedCount must not exceed sentCount");
    }
}
