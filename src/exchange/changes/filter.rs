//! The argument `filter` of the feed: a filter of the rows of one type.

use std::{collections::HashSet, sync::OnceLock};

use async_graphql::Value;
use entity::{ChangeNoun, Noun};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    graphql::{
        mutation::input::Input as Given,
        planning::filter::list_filter,
        typed::{
            input::{Argument, InputValue, Target},
            kinds::IsSpecial,
            reader::Reader,
        },
    },
    store::{Scope, paging::feed::FeedChange},
};

const NAME: &str = "ChangeFilter";
const DOC: &str = "A filter of the rows of one type, as their list takes it: without `archivedAt` in it, archived rows do not meet it.";

/// A filter of the rows of one noun.
pub(super) struct ChangeFilter {
    /// The noun.
    pub noun: &'static Noun,
    given: Value,
}

fn fields() -> &'static [Argument] {
    static FIELDS: OnceLock<Vec<Argument>> = OnceLock::new();
    FIELDS.get_or_init(|| {
        let nouns = ChangeNoun::all().map(ChangeNoun::noun);
        let argument = |noun: &'static Noun| Argument {
            name: noun.singular,
            ty: format!("{}Filter", noun.name),
            default: None,
            doc: noun.doc,
            target: Target::None,
        };
        nouns.map(argument).collect()
    })
}

impl InputValue<IsSpecial> for ChangeFilter {
    fn ty() -> (String, bool) {
        (NAME.to_owned(), true)
    }

    fn target() -> Target {
        Target::OneOf(NAME, DOC, fields)
    }

    fn read(value: &Value, reader: &mut Reader<'_>) -> Result<Self> {
        let input = Given::of(&reader.place(), value)?;
        let mut nouns = ChangeNoun::all().map(ChangeNoun::noun);
        let found = nouns.find_map(|noun| Some(Self { noun, given: input.present(noun.singular)?.clone() }));
        found.ok_or_else(|| reader.bad("a filter of one type"))
    }
}

impl ChangeFilter {
    /// Returns which of the changed rows meet the filter now.
    pub async fn matching(&self, scope: &Scope, changes: &[FeedChange]) -> Result<HashSet<Uuid>> {
        let condition = list_filter(self.noun, Some(&self.given), scope.attribute_access())?;
        let mut ids: Vec<Uuid> = changes.iter().map(|change| change.row).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(scope.meeting(self.noun, &ids, &[&condition]).await?.pop().unwrap_or_default())
    }

    /// Checks the filter. `Err` if the caller may not filter by one of its fields.
    pub fn check(&self, scope: &Scope) -> Result<()> {
        list_filter(self.noun, Some(&self.given), scope.attribute_access()).map(drop)
    }
}
