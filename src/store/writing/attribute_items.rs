//! Attributes in their index table: one text of name and value, and the value as a number and as an instant.

use entity::{id::OrganizationId, noun::Kind};

use crate::{
    Result,
    instant::{date, moment},
    store::{
        Store,
        driver::Payer,
        statement::{
            builder::{Alias, Sql},
            cell::{Cell, CellKind, Column, fold},
        },
    },
};

/// Separator between name and value. Names cannot contain it.
const SEPARATOR: char = '\u{1f}';
/// Number of items that one transaction parses again.
const BATCH: usize = 500;

/// The complete item: name and value.
pub const ITEM: Column = column("item", CellKind::Text, false);
/// The value, which has a case-folded copy.
pub const VALUE: Column = column("value", CellKind::Text, false);
/// The value as a number.
pub const NUMBER: Column = column("number", CellKind::Float, true);
/// The value as an instant.
pub const INSTANT: Column = column("instant", CellKind::Int, true);

const fn column(name: &'static str, kind: CellKind, is_nullable: bool) -> Column {
    Column { name, kind, is_nullable, field: name }
}

/// Returns the item of a named value for the index table.
pub fn attribute_item(name: &str, value: &str) -> String {
    format!("{name}{SEPARATOR}{value}")
}

/// Splits an item into name and value.
pub fn parts(item: &str) -> (&str, &str) {
    item.split_once(SEPARATOR).unwrap_or((item, ""))
}

/// Returns the start (included) and end (excluded) of the items of an attribute.
pub fn bounds(name: &str) -> (String, String) {
    (format!("{name}{SEPARATOR}"), format!("{name}\u{20}"))
}

/// Returns the first text, in byte order, after all texts that start with `prefix`; `None` if there is no such text.
pub fn after(prefix: &str) -> Option<String> {
    let mut text: Vec<char> = prefix.chars().collect();
    while let Some(last) = text.pop() {
        let next = match last {
            char::MAX => continue,
            // The next code points are surrogates, which are not characters.
            '\u{d7ff}' => '\u{e000}',
            _ => char::from_u32(u32::from(last) + 1)?,
        };
        text.push(next);
        return Some(text.into_iter().collect());
    }
    None
}

/// Parses a value as a number: decimal digits with an optional sign, point and exponent, as in JSON and most files.
/// Returns `None` for any other text, such as one with a unit or a thousands separator.
pub fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    if !text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) {
        return None;
    }
    // Adding zero turns negative zero into positive zero.
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(|number| number + 0.0)
}

/// Parses a value as an instant in epoch milliseconds: RFC 3339, or a date alone, which means midnight in UTC. Returns
/// `None` for any other text, and outside the years 1 to 9999.
pub fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    moment(text).or_else(|| date(text)).map(|moment| moment.at)
}

/// Returns the value of an item as folded text, as a number and as an instant.
pub(in crate::store) fn read(item: &str) -> [Cell; 3] {
    let (_, value) = parts(item);
    let number = number(value).map_or(Cell::Null, Cell::Float);
    [Cell::Text(fold(value)), number, instant(value).map_or(Cell::Null, Cell::Int)]
}

/// Returns the name parts of every index table of attributes.
fn tables() -> impl Iterator<Item = [&'static str; 3]> {
    entity::NOUNS.into_iter().flat_map(|noun| {
        let sets = noun.fields.iter().filter(|field| matches!(field.kind, Kind::Attributes { .. }));
        sets.map(|field| [noun.table, "_", field.column])
    })
}

impl Store {
    /// Parses the values of attributes that a server of an older version wrote without numbers and instants; directly
    /// after the schema upgrade, these are all attributes. Several servers may do this concurrently.
    pub async fn read_attributes(&self) -> Result<()> {
        for table in tables() {
            let mut sql = Sql::new(self.backend());
            sql.push("SELECT DISTINCT organization_id FROM ").name(&table).behind_last(&table);
            sql.push(" WHERE value_folded IS NULL ORDER BY organization_id");
            for organization in self.owners(sql).await? {
                while self.read_some(table, organization).await? {}
            }
        }
        Ok(())
    }

    /// Parses one batch. Returns whether there may be more.
    async fn read_some(&self, table: [&'static str; 3], organization: OrganizationId) -> Result<bool> {
        let tx = self.writer.begin(false, Payer::default()).await?;
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.item FROM ").name(&table).behind_last(&table).push(" AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", organization);
        sql.push(" AND t.value_folded IS NULL GROUP BY t.organization_id, t.item ORDER BY t.item LIMIT ").number(BATCH);
        let found = self.query(&tx, sql, &[CellKind::Text], organization).await?;
        for item in found.iter().filter_map(|row| row[0].text()) {
            let mut sql = self.sql();
            let [folded, number, instant] = read(item);
            sql.push("UPDATE ").name(&table).push(" AS t SET value_folded = ").cell(&folded, CellKind::Text);
            sql.push(", number = ").cell(&number, CellKind::Float);
            sql.push(", instant = ").cell(&instant, CellKind::Int).push(" WHERE ");
            sql.filter_tenant(Alias::ROW, "organization_id", organization);
            sql.push(" AND t.item = ").bind(item).push(" AND t.value_folded IS NULL RETURNING organization_id");
            self.query(&tx, sql, &[], organization).await?;
        }
        tx.commit().await?;
        Ok(found.len() == BATCH)
    }
}

#[cfg(test)]
mod tests {
    use super::{after, instant, number};

    #[test]
    fn only_whole_numbers_and_dates_are_read() {
        for (text, expected) in
            [("24540", 24_540.0_f64), (" -1.5e3 ", -1_500.0), ("+.5", 0.5), ("-0", 0.0), ("1E2", 100.0), ("007", 7.0)]
        {
            assert_eq!(number(text).map(f64::to_bits), Some(expected.to_bits()), "{text}");
        }
        for text in ["", "940XX", "1,234", "inf", "NaN", "1e999", "0x1f", "e", "1 2", "٣", "--1", "10%"] {
            assert_eq!(number(text), None, "{text}");
        }
        for (text, expected) in [
            ("1970-01-01", 0),
            ("1970-01-01T01:00:00.0015+01:00", 1),
            ("0001-01-01", -62_135_596_800_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] {
            assert_eq!(instant(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "7/29/2013",
            "2013-7-9",
            "2013-02-30",
            "0000-12-31",
            "+10000-01-01",
            "2013",
            "13:00",
            "2016-12-31T23:59:60Z",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn what_comes_after_a_prefix_comes_after_all_that_begin_so() {
        assert_eq!(after("company:").as_deref(), Some("company;"));
        assert_eq!(after("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(after("a\u{10ffff}\u{10ffff}").as_deref(), Some("b"));
        assert_eq!((after(""), after("\u{10ffff}")), (None, None));
    }
}
