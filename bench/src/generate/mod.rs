//! Fills a migrated database with the data set.

macro_rules! row {
    ($($value:expr),* $(,)?) => { vec![$(crate::generate::Value::from($value)),*] };
}

mod more;
pub mod postgres;
pub mod sqlite;

use std::borrow::Cow;

use uuid::Uuid;

use self::more::MORE;
use crate::data::{self, Organization, RULES};

/// The value of a column.
pub enum Value {
    Null,
    Id(Uuid),
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(Cow<'static, str>),
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<bool> for Value {
    fn from(is: bool) -> Self {
        Self::Bool(is)
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

type Rows<'a> = Box<dyn Iterator<Item = Vec<Value>> + 'a>;

/// A table and its rows. Columns that are not listed are null.
pub struct Table {
    pub name: &'static str,
    pub columns: &'static str,
    pub rows: for<'a> fn(&'a [Organization]) -> Rows<'a>,
}

/// The subject that is stored as the author of generated rows.
const SUBJECT: &str = "generator";
/// A sequence number that no run reaches.
const FUTURE: i64 = 1 << 40;

/// Returns the tables to fill.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().chain(&MORE)
}

/// The map, and the feedback with its routing and events.
const TABLES: [Table; 11] = [
    Table {
        name: "organization",
        columns: "id, version, created_at, updated_at, slug, name, time_zone, week_start, locale, fallback_department_id",
        rows: |all| {
            Box::new(all.iter().map(|one| {
                let name = format!("Organization {}", one.number);
                row![one.id, 1, one.made, one.made, one.slug.clone(), name, "UTC", "MONDAY", "en", one.departments[0]]
            }))
        },
    },
    Table {
        name: "organization_sequence",
        columns: "organization_id, last",
        rows: |all| Box::new(all.iter().map(|one| row![one.id, one.records as i64])),
    },
    // All events are marked as sealed; otherwise servers would seal two million events during the run. In organizations
    // that are written to, future events are marked as sealed too; otherwise events that one server has written would
    // be sealed in the background while another server is measured.
    Table {
        name: "audit_head",
        columns: "organization_id, last_sequence, hash",
        rows: |all| {
            Box::new(all.iter().map(|one| {
                let sealed = if one.number > data::READ { FUTURE } else { one.records as i64 };
                row![one.id, sealed, ""]
            }))
        },
    },
    Table {
        name: "department",
        columns: "organization_id, id, version, created_at, updated_at, name, name_folded",
        rows: |all| {
            Box::new(all.iter().flat_map(|one| {
                one.departments
                    .iter()
                    .zip(["Unassigned", "Service", "Sales", "Marketing"])
                    .map(|(id, name)| row![one.id, *id, 1, one.made, one.made, name, name.to_lowercase()])
            }))
        },
    },
    Table {
        name: "medium",
        columns: "organization_id, id, version, created_at, updated_at, name, name_folded",
        rows: |all| {
            Box::new(all.iter().flat_map(|one| {
                one.mediums
                    .iter()
                    .zip(["Phone", "Email", "Letter", "Shop", "Web"])
                    .map(|(id, name)| row![one.id, *id, 1, one.made, one.made, name, name.to_lowercase()])
            }))
        },
    },
    Table {
        name: "interaction_point",
        columns: "organization_id, id, version, created_at, updated_at, kind, name, name_folded, description, owner_id",
        rows: |all| {
            Box::new(all.iter().flat_map(|one| {
                one.points.iter().map(|point| {
                    let (name, description) = (point.name.clone(), point.description.clone());
                    let (made, owner) = (one.made, one.departments[1]);
                    row![
                        one.id,
                        point.id,
                        1,
                        made,
                        made,
                        point.kind,
                        name.clone(),
                        name.to_lowercase(),
                        description,
                        owner
                    ]
                })
            }))
        },
    },
    Table {
        name: "expectation",
        columns: "organization_id, id, version, created_at, updated_at, point_id, kind, statement, statement_folded, \
                  source, importance, rank",
        rows: |all| {
            Box::new(all.iter().flat_map(|one| {
                one.points.iter().flat_map(move |point| {
                    point.expectations.iter().map(move |it| {
                        let (text, folded) = (it.statement.clone(), it.statement.to_lowercase());
                        let (made, source) = (one.made, "RESEARCH");
                        row![
                            one.id,
                            it.id,
                            1,
                            made,
                            made,
                            point.id,
                            it.kind,
                            text,
                            folded,
                            source,
                            it.importance,
                            it.rank
                        ]
                    })
                })
            }))
        },
    },
    Table {
        name: "routing_rule",
        columns: "organization_id, id, version, created_at, updated_at, name, name_folded, position, kind, words, \
                  priority, department_id",
        rows: |all| {
            Box::new(all.iter().flat_map(|one| {
                one.rules.iter().zip(RULES).enumerate().map(|(place, (id, (name, kind, department, priority)))| {
                    let (made, position) = (one.made, place as i64 + 1);
                    let department = one.departments[department as usize];
                    row![
                        one.id,
                        *id,
                        1,
                        made,
                        made,
                        name,
                        name.to_lowercase(),
                        position,
                        kind,
                        "[]",
                        priority,
                        department
                    ]
                })
            }))
        },
    },
    Table {
        name: "feedback_record",
        columns: "organization_id, id, version, created_at, updated_at, kind, sentiment, sentiment_score, body, \
                  body_folded, language, received_at, nps, product, tags, attributes, priority, point_id, medium_id, \
                  customer_id, department_id",
        rows: |all| {
            Box::new(data::records(all).map(|it| {
                let one = &all[it.organization];
                let (sentiment, department) = (it.sentiment(), one.departments[it.department()]);
                let (folded, priority) = (it.body.to_lowercase(), it.priority());
                row![
                    one.id,
                    it.id,
                    1,
                    it.at,
                    it.at,
                    it.kind,
                    sentiment,
                    it.score,
                    it.body,
                    folded,
                    "en",
                    it.at,
                    it.nps,
                    it.product,
                    "[]",
                    "[]",
                    priority,
                    it.point,
                    it.medium,
                    it.customer,
                    department
                ]
            }))
        },
    },
    Table {
        name: "routing",
        columns: "organization_id, id, version, created_at, updated_at, feedback_record_id, cause, rule_id, \
                  rule_version, department_id, priority, reason, subject",
        rows: |all| {
            Box::new(data::records(all).map(|it| {
                let one = &all[it.organization];
                let (rule, version) = (it.rule.map(|rule| one.rules[rule]), it.rule.map(|_| 1));
                let cause = if it.rule.is_some() { "RULE" } else { "FALLBACK" };
                let department = one.departments[it.department()];
                let (priority, reason) = (it.priority(), it.reason());
                row![
                    one.id, it.routing, 1, it.at, it.at, it.id, cause, rule, version, department, priority, reason,
                    SUBJECT
                ]
            }))
        },
    },
    Table {
        name: "event",
        columns: "organization_id, id, sequence, noun, row_id, operation, version, subject, occurred_at, fields",
        rows: |all| {
            Box::new(data::records(all).map(|it| {
                let one = &all[it.organization];
                row![
                    one.id,
                    it.event,
                    it.sequence,
                    "FeedbackRecord",
                    it.id,
                    "CREATED",
                    1,
                    SUBJECT,
                    it.at,
                    data::EVENT_FIELDS
                ]
            }))
        },
    },
];
