//! What every column tells about a person, against the tables of the database.

use std::collections::BTreeMap;

use entity::{
    NOUNS, Permission,
    noun::Personal,
    personal::{self, PERSON, Tag},
};

use crate::{app::App, outline::Outline};

#[tokio::test]
async fn every_column_of_every_table_is_tagged_once() {
    let app = App::start().await;
    let mut tagged: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for tag in personal::tags() {
        tagged.entry(tag.table).or_default().push(tag.column);
    }
    let mut tables = app.tables().await;
    tables.values_mut().chain(tagged.values_mut()).for_each(|columns| columns.sort());
    for (table, columns) in &tables {
        assert_eq!(tagged.get(table), Some(columns), "{table}");
    }
    assert_eq!(tagged.len(), tables.len());
}

#[test]
fn what_tells_about_a_person_can_be_erased_or_says_why_it_is_kept() {
    let reached: Vec<&str> = personal::about_a_person().iter().map(|noun| noun.table).collect();
    let is_reached = |tag: &Tag| {
        reached.iter().any(|table| {
            tag.table == *table
                || tag.table.strip_prefix(table).is_some_and(|rest| {
                    let noun = NOUNS.iter().find(|noun| noun.table == *table).unwrap();
                    rest == "_external_id"
                        || noun.all_fields().any(|field| field.kind.is_set() && rest == format!("_{}", field.column))
                })
        })
    };
    for tag in personal::tags().iter().filter(|tag| tag.personal != Personal::None) {
        // What a merge keeps to be undone is forgotten with the winner; `erasure` has it among what it fills and erases.
        let is_of_merges = (tag.table.as_str(), tag.column.as_str()) == ("row_merge", "snapshot");
        assert!(
            tag.kept.is_some() || is_of_merges || is_reached(tag),
            "erasing a person cannot reach {}.{}",
            tag.table,
            tag.column
        );
    }
}

#[test]
fn a_person_is_reached_by_what_names_them_and_by_what_names_that() {
    let reached: Vec<(&str, &str, &str)> =
        personal::subject_paths().iter().map(|reach| (reach.noun.name, reach.column, reach.above.name)).collect();
    for known in [("FeedbackRecord", "customer_id", "Customer"), ("Routing", "feedback_record_id", "FeedbackRecord")] {
        assert!(reached.contains(&known), "{reached:?}");
    }
    assert!(PERSON.field("erasedAt").is_some());
}

#[test]
fn whoever_exports_may_read_every_noun_that_is_exported() {
    let outline = Outline::read();
    let (_, export) = outline.roots().find(|(_, field)| field.name == "customerExport").unwrap();
    let needed = export.needed();
    assert!(needed.contains(&Permission::CustomersRead));
    for noun in personal::about_a_person() {
        assert!(noun.read.is_none_or(|scope| needed.contains(&scope)), "{}", noun.name);
    }
}
