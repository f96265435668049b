//! Personal data: the kind in each column of the database, and the rows that are about a person.

use std::sync::LazyLock;

use crate::{
    NOUNS, Permission,
    noun::{Kind, Link, Noun, Personal},
};

/// The noun whose rows are persons that can be erased.
pub static PERSON: &Noun = &crate::customer::NOUN;

/// Column of [`PERSON`] with the time of erasure.
pub const ERASED_AT: &str = "erased_at";

/// Reason why identifiers of staff are kept when a customer is erased.
pub const STAFF: &str = "identifies staff of the organization, not a customer";

/// A foreign key that leads from a row about a person to another row about that person.
#[derive(Clone, Copy, Debug)]
pub struct SubjectPath {
    /// Noun of the referencing row.
    pub noun: &'static Noun,
    /// Foreign key of the referencing row.
    pub column: &'static str,
    /// Noun of the referenced row.
    pub above: &'static Noun,
}

/// Returns the foreign keys that lead to rows about a person. A row is about a person if it has data to erase and
/// references the row of the person or another row about the person. The map is about nobody: an expectation says what
/// customers want, whoever mentioned it first.
pub fn subject_paths() -> &'static [SubjectPath] {
    static PATHS: LazyLock<Vec<SubjectPath>> = LazyLock::new(follow);
    &PATHS
}

fn follow() -> Vec<SubjectPath> {
    let mut known: Vec<&'static Noun> = vec![PERSON];
    let mut reaches: Vec<SubjectPath> = Vec::new();
    let mut place = 0;
    while let Some(above) = known.get(place).copied() {
        place += 1;
        for noun in NOUNS.iter().filter(|noun| noun.table != PERSON.table && is_personal(noun)) {
            for relation in noun.relations.iter().filter(|relation| relation.target.table == above.table) {
                let Link::One { column, .. } = relation.link else { continue };
                reaches.push(SubjectPath { noun, column, above });
                if known.iter().all(|known| known.table != noun.table) {
                    known.push(noun);
                }
            }
        }
    }
    reaches
}

/// Returns every path of foreign keys from a person to rows about the person. A path follows its prefixes in the list.
pub fn paths() -> &'static [Vec<SubjectPath>] {
    static PATHS: LazyLock<Vec<Vec<SubjectPath>>> = LazyLock::new(|| {
        let mut paths: Vec<Vec<SubjectPath>> = vec![Vec::new()];
        let mut place = 0;
        while let Some(path) = paths.get(place).cloned() {
            place += 1;
            let end = path.last().map_or(PERSON, |reach| reach.noun);
            let is_passed = |noun: &Noun| path.iter().any(|reach| reach.noun.table == noun.table);
            for reach in subject_paths().iter().filter(|reach| reach.above.table == end.table && !is_passed(reach.noun))
            {
                paths.push(path.iter().chain([reach]).copied().collect());
            }
        }
        paths.remove(0);
        paths
    });
    &PATHS
}

/// Returns the nouns whose rows can be about a person, starting with [`PERSON`].
pub fn about_a_person() -> &'static [&'static Noun] {
    static NOUNS: LazyLock<Vec<&'static Noun>> = LazyLock::new(|| {
        let mut nouns = vec![PERSON];
        for reach in subject_paths() {
            if nouns.iter().all(|known| known.table != reach.noun.table) {
                nouns.push(reach.noun);
            }
        }
        nouns
    });
    &NOUNS
}

/// Returns whether rows of the noun can be about a person.
pub fn is_about_a_person(noun: &Noun) -> bool {
    about_a_person().iter().any(|known| known.table == noun.table)
}

/// Returns whether external ids of the noun identify a person, so that reading them requires `customers:read` or the scope
/// to write the noun.
pub fn guards_external_ids(noun: &Noun) -> bool {
    noun.has_external_ids && is_about_a_person(noun)
}

fn is_personal(noun: &Noun) -> bool {
    if noun.write == Permission::MapWrite {
        return false;
    }
    noun.has_external_ids || noun.all_fields().any(super::noun::Field::is_erasable)
}

/// The kind of personal data in a column of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// Kind of personal data.
    pub personal: Personal,
    /// Reason why an erasure keeps it; `None` if it is erased or not personal.
    pub kept: Option<&'static str>,
}

/// Returns all columns of all tables. Columns of nouns and of their index and join tables come from the descriptions.
pub fn tags() -> Vec<Tag> {
    let mut tags: Vec<Tag> = NOUNS.into_iter().flat_map(of_noun).collect();
    for (table, columns) in TABLES.iter().filter(|(table, _)| NOUNS.iter().all(|noun| noun.table != *table)) {
        tags.extend(columns.iter().map(|(column, personal, kept)| tag(table, column, *personal, *kept)));
    }
    tags
}

/// Returns the tables that belong to no noun, each after those that it refers to.
pub(crate) fn other_tables() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|(table, _)| *table).filter(|table| NOUNS.iter().all(|noun| noun.table != *table))
}

fn tag(table: &str, column: &str, personal: Personal, kept: Option<&'static str>) -> Tag {
    Tag { table: table.to_owned(), column: column.to_owned(), personal, kept }
}

fn of_noun(noun: &'static Noun) -> Vec<Tag> {
    let none = |table: &str, column: &str| tag(table, column, Personal::None, None);
    let row = format!("{}_id", noun.table);
    let mut tags = Vec::new();
    if noun.tenant != "id" {
        tags.push(none(noun.table, noun.tenant));
    }
    for field in noun.all_fields() {
        tags.push(tag(noun.table, field.column, field.personal, field.kept));
        if field.is_searchable {
            tags.push(tag(noun.table, &format!("{}_folded", field.column), field.personal, field.kept));
        }
        if field.kind.is_set() {
            let table = format!("{}_{}", noun.table, field.column);
            tags.extend([none(&table, "organization_id"), none(&table, &row)]);
            let held: &[&str] = match field.kind {
                Kind::Attributes { .. } => &["item", "value_folded", "number", "instant"],
                _ => &["item"],
            };
            tags.extend(held.iter().map(|column| tag(&table, column, field.personal, field.kept)));
        }
    }
    for relation in noun.relations {
        match relation.link {
            Link::One { column, .. } => tags.push(none(noun.table, column)),
            // Both nouns may have the relation; the one whose column sorts first lists the table.
            Link::Through { table, from, to, edge } if from < to || !has_inverse(noun, relation.target, table) => {
                tags.extend([none(table, "organization_id"), none(table, from), none(table, to)]);
                tags.extend(edge.iter().map(|field| tag(table, field.column, field.personal, field.kept)));
            }
            _ => {}
        }
    }
    if noun.has_external_ids {
        let table = format!("{}_external_id", noun.table);
        let personal = if is_about_a_person(noun) { Personal::Identifier } else { Personal::None };
        tags.extend([none(&table, "organization_id"), none(&table, &row), none(&table, "system")]);
        tags.push(tag(&table, "external_id", personal, None));
    }
    tags
}

fn has_inverse(noun: &Noun, other: &Noun, between: &str) -> bool {
    other.relations.iter().any(|relation| {
        relation.target.table == noun.table && matches!(relation.link, Link::Through { table, .. } if table == between)
    })
}

type TaggedColumn = (&'static str, Personal, Option<&'static str>);

const fn none(column: &'static str) -> TaggedColumn {
    (column, Personal::None, None)
}

const fn kept(column: &'static str, personal: Personal, reason: &'static str) -> TaggedColumn {
    (column, personal, Some(reason))
}

/// Reason why the hash of an identifier is kept.
const HASH: &str = "a salted hash, used to refuse importing an erased person again";
/// Reason why stored idempotency keys need no erasure.
const FORGOTTEN: &str = "a hash, overwritten by an erasure of the affected rows and deleted after a day";

/// Reason why the words of the search need no erasure of their own.
const INDEXED: &str = "the words of a column or of external ids, deleted when an erasure empties those";

/// The table of the words that a search finds.
pub const SEARCH_TABLE: &str = "search_entry";

/// Tables that do not belong to a noun. A table follows those that it refers to.
static TABLES: [(&str, &[TaggedColumn]); 22] = [
    ("seaql_migrations", &[none("version"), none("applied_at")]),
    (
        "organization_sequence",
        &[
            none("organization_id"),
            none("last"),
            none("epoch"),
            none("rolled_to"),
            none("rolled_until"),
            none("rolled_zone"),
            none("rolled_week_start"),
        ],
    ),
    (
        "feedback_week",
        &[
            none("organization_id"),
            none("point_id"),
            none("week"),
            none("n"),
            none("sentiment_score_sum"),
            none("sentiment_score_n"),
            none("nps_sum"),
            none("nps_n"),
            none("csat_sum"),
            none("csat_n"),
            none("ces_sum"),
            none("ces_n"),
            none("ces_ease_5_sum"),
            none("ces_ease_5_n"),
            none("ces_effort_7_sum"),
            none("ces_effort_7_n"),
            none("ces_effort_5_sum"),
            none("ces_effort_5_n"),
        ],
    ),
    ("audit_head", &[none("organization_id"), none("last_sequence"), none("hash")]),
    (
        "audit_seal",
        &[
            none("organization_id"),
            none("first_sequence"),
            none("last_sequence"),
            none("leaves"),
            none("digest"),
            none("sealed_at"),
            none("hash"),
        ],
    ),
    (
        "idempotency",
        &[
            none("organization_id"),
            kept("subject", Personal::Identifier, STAFF),
            kept("idempotency_key", Personal::Identifier, FORGOTTEN),
            kept("fingerprint", Personal::Identifier, FORGOTTEN),
            none("created_at"),
            none("result"),
            none("call_id"),
        ],
    ),
    (
        "state_change",
        &[
            none("organization_id"),
            none("id"),
            none("row_id"),
            none("transition"),
            none("from_state"),
            none("to_state"),
            none("changed_at"),
            kept("subject", Personal::Identifier, STAFF),
            none("row_version"),
        ],
    ),
    ("organization_slug", &[none("slug"), none("organization_id")]),
    ("organization_deletion", &[none("organization_id"), none("id"), none("deleted_at")]),
    ("api_client_owner", &[none("api_client_id"), none("organization_id")]),
    ("api_client_secret", &[none("organization_id"), none("api_client_id"), none("hash")]),
    (
        "token_withdrawal",
        &[none("organization_id"), none("kind"), kept("subject", Personal::Identifier, STAFF), none("withdrawn_at")],
    ),
    (
        "erasure",
        &[
            none("organization_id"),
            none("id"),
            none("person_id"),
            none("erased_at"),
            none("salt"),
            none("row_count"),
            none("done_at"),
        ],
    ),
    (
        "erasure_identifier",
        &[none("organization_id"), kept("hash", Personal::Identifier, HASH), none("erasure_id"), none("part_id")],
    ),
    ("erasure_part", &[none("organization_id"), none("id"), none("erasure_id"), none("erased_rows")]),
    (
        "job",
        &[
            none("organization_id"),
            none("id"),
            none("kind"),
            none("row_id"),
            none("progress"),
            none("steps"),
            none("stepped_at"),
            none("run_at"),
            none("owner_id"),
            none("leased_until"),
            none("fence"),
            none("attempts"),
            none("failed_at"),
            none("reason"),
        ],
    ),
    (
        "row_merge",
        &[
            none("organization_id"),
            none("id"),
            none("noun"),
            none("loser_id"),
            none("winner_id"),
            none("target_id"),
            none("merged_at"),
            none("moved_count"),
            none("done_at"),
            none("undone_at"),
            ("snapshot", Personal::Identifier, None),
        ],
    ),
    ("row_merge_move", &[none("organization_id"), none("loser_id"), none("reference"), none("row_id")]),
    ("row_merge_emptied", &[none("organization_id"), none("reference"), none("row_id")]),
    ("effect_key", &[none("organization_id"), none("effect")]),
    ("idempotency_row", &[none("organization_id"), none("row_id"), none("call_id"), none("created_at")]),
    (
        SEARCH_TABLE,
        &[
            none("organization_id"),
            none("row_id"),
            none("source"),
            kept("tokens", Personal::FreeText, INDEXED),
            kept("document", Personal::FreeText, INDEXED),
        ],
    ),
];
