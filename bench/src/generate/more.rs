//! Tables of customers, what they did, and the words that a search finds.

use super::Table;
use crate::{data, words};

pub const MORE: [Table; 8] = [
    Table {
        name: "customer",
        columns: "organization_id, id, version, created_at, updated_at, name, name_folded",
        rows: |all| {
            Box::new(all.iter().flat_map(|one| {
                one.customers.iter().enumerate().map(|(place, id)| {
                    let (name, folded) = (format!("Customer {place}"), format!("customer {place}"));
                    row![one.id, *id, 1, one.made, one.made, name, folded]
                })
            }))
        },
    },
    Table {
        name: "offer",
        columns: "organization_id, id, version, created_at, updated_at, kind, name, name_folded, customer_benefit, \
                  organization_benefit",
        rows: |all| {
            Box::new(all.iter().flat_map(|one| {
                one.offers.iter().enumerate().map(|(place, id)| {
                    let (name, folded) = (format!("Offer {place}"), format!("offer {place}"));
                    let (made, benefit) = (one.made, "It saves time");
                    row![one.id, *id, 1, made, made, "EXTRA", name, folded, benefit, benefit]
                })
            }))
        },
    },
    Table {
        name: "playbook",
        columns: "organization_id, id, version, created_at, updated_at, name, name_folded, trigger, interaction_filter, \
                  is_interest_matched, offset_minutes, kind, title, title_folded",
        rows: |all| {
            Box::new(all.iter().flat_map(|one| {
                one.playbooks.iter().enumerate().map(|(place, id)| {
                    let (name, folded) = (format!("Playbook {place}"), format!("playbook {place}"));
                    let (made, offset, filter) = (one.made, place as i64 * 1_440, data::SALES);
                    let trigger = "INTERACTION_COMPLETED";
                    row![
                        one.id,
                        *id,
                        1,
                        made,
                        made,
                        name,
                        folded,
                        trigger,
                        filter,
                        false,
                        offset,
                        "THANK",
                        "Thank for the talk",
                        "thank for the talk"
                    ]
                })
            }))
        },
    },
    Table {
        name: "interaction",
        columns: "organization_id, id, version, created_at, updated_at, status, direction, purpose, is_automated, \
                  occurred_at, summary, summary_folded, tags, attributes, point_id, medium_id, customer_id",
        rows: |all| {
            Box::new(data::interactions(all).map(|it| {
                let (one, folded) = (it.organization, it.text.to_lowercase());
                let (status, direction, purpose) = ("COMPLETED", "INBOUND", "SERVE");
                row![
                    one.id,
                    it.id,
                    1,
                    it.at,
                    it.at,
                    status,
                    direction,
                    purpose,
                    false,
                    it.at,
                    it.text,
                    folded,
                    "[]",
                    "[]",
                    it.point,
                    it.medium,
                    one.customers[0]
                ]
            }))
        },
    },
    Table {
        name: "purchase",
        columns: "organization_id, id, version, created_at, updated_at, bought_at, amount, amount_currency, item_count, \
                  product, product_folded, tags, attributes, customer_id, point_id",
        rows: |all| {
            Box::new(data::purchases(all).map(|it| {
                let (one, folded) = (it.organization, it.product.to_lowercase());
                let customer = one.customers[0];
                row![
                    one.id, it.id, 1, it.at, it.at, it.at, 12_500, "EUR", 1, it.product, folded, "[]", "[]", customer,
                    it.point
                ]
            }))
        },
    },
    Table {
        name: "customer_case",
        columns: "organization_id, id, version, created_at, updated_at, title, title_folded, stage, received_at, due_at, \
                  priority, is_safety_relevant, disposition, tags, attributes, department_id",
        rows: |all| {
            Box::new(data::cases(all).map(|it| {
                let (one, (stage, due)) =
                    (it.organization, if it.is_open { ("ASSESSED", Some(it.due)) } else { ("CLOSED", None) });
                let (title, folded, disposition) = ("Where is it?", "where is it?", "REAL_PROBLEM");
                row![
                    one.id,
                    it.id,
                    1,
                    it.at,
                    it.at,
                    title,
                    folded,
                    stage,
                    it.at,
                    due,
                    "HIGH",
                    false,
                    disposition,
                    "[]",
                    "[]",
                    one.departments[1]
                ]
            }))
        },
    },
    Table {
        name: "follow_up",
        columns: "organization_id, id, version, created_at, updated_at, title, title_folded, kind, status, due_at, tags, \
                  department_id",
        rows: |all| {
            Box::new(data::follow_ups(all).map(|it| {
                let (one, title, folded) = (it.organization, "Call back", "call back");
                row![one.id, it.id, 1, it.at, it.at, title, folded, "THANK", "OPEN", it.due, "[]", one.departments[1]]
            }))
        },
    },
    // Only the large organization is searched, so only its bodies are indexed.
    Table {
        name: "search_entry",
        columns: "organization_id, row_id, source, tokens",
        rows: |all| {
            Box::new(data::records(all).filter(|it| it.organization == 0).map(|it| {
                let organization = all[0].id;
                row![organization, it.id, words::BODY, words::indexed(organization, &it.body)]
            }))
        },
    },
];
