//! The query fields that look up rows of a noun.

use async_graphql::registry::MetaField;
use entity::Noun;

use super::{
    noun_types::with_article,
    roots::{field, value},
};

/// Returns the fields `x(by)` and `xsBy(refs)`.
pub(super) fn lookups(noun: &Noun) -> [MetaField; 2] {
    let by = if noun.has_external_ids { "id or external id" } else { "id" };
    let doc = format!("Looks up {} by {by}; null if there is none.", with_article(noun));
    let mut one = field(noun.singular, noun.name, &doc);
    one.args
        .insert("by".to_owned(), value("by", &format!("{}Ref!", noun.name), &format!("The {} to look up.", noun.name)));
    let doc =
        format!("Looks up {} rows by up to 1,000 references, in their order; null where there is none.", noun.name);
    let mut many = field(&format!("{}By", noun.plural), &format!("[{}]", noun.name), &doc);
    many.args.insert("refs".to_owned(), value("refs", &format!("[{}Ref!]!", noun.name), "The rows to look up."));
    [one, many]
}
