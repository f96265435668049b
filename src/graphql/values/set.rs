//! Sets of tags and of attributes.

use async_graphql::Value;
use entity::noun::Field;

use super::{Accepted, text::text_mistake};
use crate::{
    UserError,
    error::Code,
    graphql::mutation::input::{Input, bad, list, text},
    store::statement::cell::Cell,
    text::{is_blank, refusal, refused_in_name},
};

/// Reads tags without duplicates: at most `most` items of at most `max` characters.
pub(super) fn accept_tags(field: &Field, value: &Value, (most, max): (usize, usize)) -> Accepted {
    let refuse = |code, message: String| Ok(Err(UserError::new(code, field.name, message)));
    let refuse_item = |at: usize, code, message: String| {
        let path = vec![field.name.to_owned(), at.to_string()];
        Ok(Err(UserError { path, ..UserError::new(code, field.name, message) }))
    };
    let mut tags = Vec::new();
    for (at, item) in list(value).into_iter().enumerate() {
        let tag = text(item).map(crate::text::trim).ok_or_else(|| bad(field.name, "a list of texts"))?;
        if let Some((code, message)) = item_mistake(tag, max) {
            return refuse_item(at, code, message);
        }
        if let Some(sign) = refused_in_name(tag) {
            return refuse_item(at, Code::Invalid, refusal(sign));
        }
        tags.push(tag);
    }
    tags.sort_unstable();
    tags.dedup();
    if tags.len() > most {
        return refuse(Code::TooLong, format!("there are more than {most} items"));
    }
    Ok(Ok(Cell::Text(serde_json::json!(tags).to_string())))
}

/// Reads attributes with unique names: at most `most` items, whose names and values have at most `max` characters.
pub(super) fn accept_attributes(field: &Field, value: &Value, (most, max): (usize, usize)) -> Accepted {
    let refuse = |code, message: String| Ok(Err(UserError::new(code, field.name, message)));
    let refuse_item = |at: usize, code, message: String| {
        let path = vec![field.name.to_owned(), at.to_string()];
        Ok(Err(UserError { path, ..UserError::new(code, field.name, message) }))
    };
    let mut pairs = Vec::new();
    for (at, item) in list(value).into_iter().enumerate() {
        let pair = Input::of(field.name, item)?;
        let part = |name| pair.text(name)?.map(str::to_owned).ok_or_else(|| bad(field.name, "names and values"));
        let (name, value) = (crate::text::trim(&part("name")?).to_owned(), part("value")?);
        if let Some((code, message)) = item_mistake(&name, max).or_else(|| item_mistake(&value, max)) {
            return refuse_item(at, code, message);
        }
        if let Some(sign) = refused_in_name(&name) {
            return refuse_item(at, Code::Invalid, refusal(sign));
        }
        pairs.push((name, value));
    }
    pairs.sort();
    if pairs.len() > most {
        return refuse(Code::TooLong, format!("there are more than {most} items"));
    }
    if pairs.windows(2).any(|two| two[0].0 == two[1].0) {
        return refuse(Code::Invalid, "a name can be given once".into());
    }
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| serde_json::json!({"name": name, "value": value})).collect();
    Ok(Ok(Cell::Text(serde_json::json!(pairs).to_string())))
}

fn item_mistake(text: &str, max: usize) -> Option<(Code, String)> {
    if is_blank(text) {
        return Some((Code::Required, "an item has no visible character".to_owned()));
    }
    if text.chars().any(char::is_control) {
        return Some((Code::Invalid, "an item contains a control character".to_owned()));
    }
    text_mistake(text, max)
}
