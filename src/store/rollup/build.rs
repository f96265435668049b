//! Counts existing rows: after a migration, and after an organization has changed its time zone or first day of the
//! week.

use entity::{
    id::OrganizationId,
    noun::StringEnum,
    rollup::{self, Rollup},
};
use sea_orm::prelude::Uuid;

use super::{Change, FOREVER, Table, Weeks, whole};
use crate::{
    Error, Result,
    store::{
        Scope, Store, Tx,
        operation::jobs::{Job, Kind, StepResult, kind::Standing},
        statement::{
            builder::Alias,
            cell::{Cell, CellKind, column_named},
        },
    },
};

/// Number of rows after which a transaction ends, except for rows of the same instant: writers wait for the
/// transaction.
const BATCH: usize = 2_000;

/// The job that counts the rows of an organization that are not counted.
pub(in crate::store) static JOB: Kind = Kind {
    name: "WEEKLY_COUNTS",
    step: |scope, job| Box::pin(scope.step_weekly_counts(job)),
    standing: Some(Standing { organizations: |store| Box::pin(store.uncounted()), recurs: None }),
};

impl Store {
    /// Returns the organizations whose rows are not all counted.
    pub async fn uncounted(&self) -> Result<Vec<OrganizationId>> {
        let mut sql = self.sql();
        sql.push("SELECT organization_id FROM organization_sequence WHERE rolled_to IS NULL OR rolled_to <> last ");
        sql.push("OR rolled_until <> ").bind(FOREVER).push(" ORDER BY organization_id");
        self.owners(sql).await
    }
}

impl Scope {
    /// Performs the next step of counting: the next weeks of the organization.
    pub(in crate::store) async fn step_weekly_counts(&self, job: &Job) -> Result<StepResult> {
        let tx = self.begin().await?;
        let has_more = tx.count_weeks().await?;
        tx.commit_step(job, has_more.then_some("")).await
    }
}

impl Tx {
    /// Counts the next weeks of the organization. Returns whether there may be more.
    async fn count_weeks(&self) -> Result<bool> {
        let mut sql = self.sql();
        sql.push("SELECT organization_id, ");
        super::weeks(&mut sql);
        sql.push(" FROM organization_sequence AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        if sql.is_postgres() {
            sql.push(" FOR NO KEY UPDATE");
        }
        let kinds = [CellKind::Int, CellKind::Text, CellKind::Text];
        let rows = self.rows(sql.finish(), &kinds).await?;
        let Some(row) = rows.first() else { return Ok(false) };
        let mut from = Weeks::of(row)?;
        if from.as_ref().is_some_and(|weeks| weeks.until == FOREVER) {
            return Ok(false);
        }
        if from.is_none() {
            self.take_counts().await?;
            from = self.first_week().await?;
        }
        let Some(mut weeks) = from else { return Ok(false) };
        let start = weeks.until;
        weeks.until = FOREVER;
        let mut tables = Vec::new();
        // All rollups are counted up to the instant at which the first one reaches its row limit.
        loop {
            let most = weeks.until;
            for rollup in rollup::ROLLUPS {
                let (table, until) = self.uncounted_rows(rollup, &weeks, start).await?;
                weeks.until = until;
                tables.push((rollup, table));
            }
            if weeks.until == most || rollup::ROLLUPS.len() == 1 {
                break;
            }
            tables.clear();
        }
        for (rollup, table) in tables {
            if !table.0.is_empty() {
                let mut sql = self.sql();
                table.add(&mut sql, rollup, self.organization(), None);
                self.rows(sql.finish(), &[]).await?;
            }
        }
        let mut sql = self.sql();
        sql.push("UPDATE organization_sequence AS t SET rolled_to = last, rolled_until = ").bind(weeks.until);
        sql.push(", rolled_zone = ").bind(weeks.zone.name()).push(", rolled_week_start = ");
        sql.bind(weeks.week_start.name()).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
        sql.push(" RETURNING organization_id");
        self.rows(sql.finish(), &[]).await?;
        Ok(weeks.until != FOREVER)
    }

    /// Deletes the counts of an organization.
    async fn take_counts(&self) -> Result<()> {
        for rollup in rollup::ROLLUPS {
            let mut sql = self.sql();
            sql.push("DELETE FROM ").name(&[rollup.table]).push(" AS t WHERE ");
            sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
            sql.push(" RETURNING organization_id");
            self.rows(sql.finish(), &[]).await?;
        }
        Ok(())
    }

    /// Returns the organization's time zone and first day of the week, with nothing counted yet.
    async fn first_week(&self) -> Result<Option<Weeks>> {
        let mut sql = self.sql();
        sql.push("SELECT id, time_zone, week_start FROM organization AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "id", self.organization());
        let rows = self.rows(sql.finish(), &[CellKind::Text, CellKind::Text]).await?;
        let Some([Cell::Text(zone), Cell::Text(week_start)]) = rows.first().map(Vec::as_slice) else { return Ok(None) };
        let (zone, week_start) = Weeks::parse(zone, week_start)?;
        Ok(Some(Weeks { zone, week_start, until: i64::MIN }))
    }

    /// Counts the next rows after the instant `start`. Returns the counts, and the instant up to which rows were
    /// counted.
    async fn uncounted_rows(&self, rollup: &'static Rollup, weeks: &Weeks, start: i64) -> Result<(Table, i64)> {
        let (mut table, mut after, mut read, mut end) = (Table::default(), (start, Uuid::nil()), 0, weeks.until);
        let mut kinds = vec![CellKind::Id, CellKind::Int, CellKind::Id];
        kinds.extend(rollup.numbers.iter().map(|number| column_named(rollup.noun, number.column).kind));
        loop {
            let mut sql = self.sql();
            sql.push("SELECT t.organization_id, t.id, t.").name(&[rollup.time]).push(", t.").name(&[rollup.key]);
            for number in rollup.numbers {
                super::value(sql.push(", "), number);
            }
            sql.push(" FROM ").name(&[rollup.noun.table]).push(" AS t WHERE ");
            sql.filter_tenant(Alias::ROW, rollup.noun, self.organization()).push(" AND (t.");
            sql.name(&[rollup.time]).push(", t.id) > (").bind(after.0).push(", ").bind(after.1).push(") ORDER BY t.");
            sql.name(&[rollup.time]).push(", t.id LIMIT ").number(BATCH);
            let rows = self.rows(sql.finish(), &kinds).await?;
            let mut changes = Vec::with_capacity(rows.len());
            for row in &rows {
                let [Cell::Id(id), Cell::Int(at), key, numbers @ ..] = row.as_slice() else {
                    return Err(Error::internal("a row that is counted has no time"));
                };
                if *at >= end {
                    weeks.count(&changes, &mut table)?;
                    return Ok((table, end));
                }
                after = (*at, *id);
                read += 1;
                if read == BATCH {
                    end = *at + 1;
                }
                let numbers = numbers.iter().map(whole).collect();
                changes.push(Change { key: key.id().unwrap_or_default(), at: *at, sign: 1, numbers });
            }
            weeks.count(&changes, &mut table)?;
            if rows.len() < BATCH {
                return Ok((table, if end == weeks.until { end } else { FOREVER }));
            }
        }
    }
}
