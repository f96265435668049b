//! Reads the arguments of a list field: pagination, order and filter.

use entity::Noun;

use super::filter::{list_filter, order};
use crate::{
    Error, Result,
    graphql::mutation::input::Input,
    store::{
        erasure::open_attributes::AttributeAccess,
        paging::{cursor::Codec, page::PageQuery},
    },
};

/// Default number of rows of a page.
pub const DEFAULT_PAGE: i64 = 25;
/// Maximum number of rows of a page.
pub const MAX_ROWS: i64 = 1_000;

/// Reads the arguments `first`, `last`, `after`, `before`, `filter` and `orderBy`.
///
/// `Err` if `first` and `last` are both given or an argument is invalid.
pub fn connection(noun: &'static Noun, input: &Input, attribute_access: AttributeAccess<'_>) -> Result<PageQuery> {
    let (limit, is_backward) = page_size(input.int("first")?, input.int("last")?)?;
    let order = order(noun, input, attribute_access)?;
    let cursor = |name| {
        let codec = || Codec::new(noun, &order, attribute_access.actor.organization);
        input.text(name)?.map(|text| codec().decode(text)).transpose()
    };
    let (after, before) = (cursor("after")?, cursor("before")?);
    let filter = list_filter(noun, input.get("filter"), attribute_access)?;
    Ok(PageQuery { filter, order, after, before, limit, looks_ahead: true, is_backward })
}

/// Returns the page size that the arguments `first` and `last` ask for, and whether the page is at the end of the list.
///
/// `Err` if both are given or one is out of range.
pub fn page_size(first: Option<i64>, last: Option<i64>) -> Result<(usize, bool)> {
    for (name, size) in [("first", first), ("last", last)] {
        if size.is_some_and(|size| !(1..=MAX_ROWS).contains(&size)) {
            return Err(Error::BadInput(format!("{name} must be from 1 to {MAX_ROWS}")));
        }
    }
    if first.is_some() && last.is_some() {
        return Err(Error::BadInput("first and last cannot be given together".to_owned()));
    }
    let limit = first.or(last).unwrap_or(DEFAULT_PAGE);
    let limit = usize::try_from(limit).map_err(|_| Error::internal("a page size is out of range"))?;
    Ok((limit, last.is_some()))
}
