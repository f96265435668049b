//! Message variants: the number of responses must not exceed the number sent.

use entity::message_variant::{NOUN, RESPONDED_COUNT, SENT_COUNT};

use crate::{
    error::Code,
    graphql::slice::Module,
    store::writing::{
        draft::Draft,
        write::{ChildOf, Hooks},
    },
};

/// GraphQL module of message variants. The number of variants per message is limited because each variant is compared
/// with every other variant of the message.
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
