//! Fills a PostgreSQL database: COPY without triggers, then creation of indexes, then a check of every foreign key.

use std::fmt::Write;

use anyhow::{Result, ensure};
use futures_util::SinkExt;
use tokio_postgres::{Client, NoTls};

use super::{Value, tables};
use crate::data;

/// Connects and spawns a task that drives the connection.
pub async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Fills a database that `rapport migrate` has created.
pub async fn fill(url: &str) -> Result<()> {
    let client = connect(url).await?;
    client.batch_execute("SET session_replication_role = replica; SET maintenance_work_mem = '512MB'").await?;
    let indexes = client
        .query(
            "SELECT i.indexname::text, i.indexdef FROM pg_indexes i JOIN pg_class c ON c.relname = i.indexname \
             WHERE i.schemaname = 'public' AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = c.oid)",
            &[],
        )
        .await?;
    for index in &indexes {
        client.batch_execute(&format!("DROP INDEX {}", index.get::<_, String>(0))).await?;
    }
    let organizations = data::organizations();
    for table in tables() {
        let copy = format!("COPY {} ({}) FROM STDIN", table.name, table.columns);
        let sink = client.copy_in(&copy).await?;
        futures_util::pin_mut!(sink);
        let mut text = String::new();
        for row in (table.rows)(&organizations) {
            write_row(&mut text, &row);
            if text.len() > 1 << 20 {
                sink.send(actix_web::web::Bytes::from(std::mem::take(&mut text))).await?;
            }
        }
        sink.send(actix_web::web::Bytes::from(text)).await?;
        println!("  {}: {} rows", table.name, sink.finish().await?);
    }
    for index in &indexes {
        client.batch_execute(&index.get::<_, String>(1)).await?;
    }
    client.batch_execute("SET session_replication_role = origin").await?;
    check(&client).await?;
    client.batch_execute("VACUUM (ANALYZE, FREEZE)").await?;
    client.batch_execute("CHECKPOINT").await?;
    Ok(())
}

/// Err if a row has a dangling reference: COPY without triggers does not check foreign keys.
async fn check(client: &Client) -> Result<()> {
    for (table, column, target) in [
        ("feedback_record", "point_id", "interaction_point"),
        ("feedback_record", "medium_id", "medium"),
        ("feedback_record", "department_id", "department"),
        ("feedback_record", "customer_id", "customer"),
        ("interaction", "point_id", "interaction_point"),
        ("interaction", "medium_id", "medium"),
        ("interaction", "customer_id", "customer"),
        ("purchase", "point_id", "interaction_point"),
        ("purchase", "customer_id", "customer"),
        ("search_entry", "row_id", "feedback_record"),
        ("routing", "feedback_record_id", "feedback_record"),
        ("routing", "rule_id", "routing_rule"),
        ("routing", "department_id", "department"),
        ("expectation", "point_id", "interaction_point"),
        ("routing_rule", "department_id", "department"),
        ("interaction_point", "owner_id", "department"),
    ] {
        let orphans = client
            .query_one(
                &format!(
                    "SELECT COUNT(*) FROM {table} t LEFT JOIN {target} o ON o.organization_id = t.organization_id \
                     AND o.id = t.{column} WHERE t.{column} IS NOT NULL AND o.id IS NULL"
                ),
                &[],
            )
            .await?;
        ensure!(orphans.get::<_, i64>(0) == 0, "{table}.{column} refers to nothing");
    }
    Ok(())
}

fn write_row(text: &mut String, row: &[Value]) {
    for (index, value) in row.iter().enumerate() {
        if index > 0 {
            text.push('\t');
        }
        match value {
            Value::Null => text.push_str("\\N"),
            Value::Id(id) => write!(text, "{id}").expect("writing to a string succeeds"),
            Value::Int(number) => write!(text, "{number}").expect("writing to a string succeeds"),
            Value::Bool(is) => write!(text, "{is}").expect("writing to a string succeeds"),
            Value::Float(number) => write!(text, "{number}").expect("writing to a string succeeds"),
            Value::Text(given) => {
                for sign in given.chars() {
                    if matches!(sign, '\\' | '\t' | '\n' | '\r') {
                        text.push('\\');
                    }
                    text.push(sign);
                }
            }
        }
    }
    text.push('\n');
}
