//! The fields that look up rows of a noun.

use async_graphql::registry::MetaField;
use entity::Noun;

use super::roots::{field, value};

/// `x(by)` and `xsBy(refs)`.
pub(super) fn lookups(noun: &Noun) -> [MetaField; 2] {
    let by = if noun.has_external_ids { "id or external id" } else { "id" };
    let doc = format!("One {} by {by}; null if there is none.", noun.name);
    let mut one = field(noun.singular, noun.name, &doc);
    one.args.insert("by".to_owned(), value("by", &format!("{}Ref!", noun.name), "The row to look up."));
    let doc = format!(
        "The {} rows of up to 1,000 references, in the order of the references; null where there is none.",
        noun.name
    );
    let mut many = field(&format!("{}By", noun.plural), &format!("[{}]", noun.name), &doc);
    many.args.insert("refs".to_owned(), value("refs", &format!("[{}Ref!]!", noun.name), "The rows to look up."));
    [one, many]
}
