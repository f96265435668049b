//! The policy of a case, and the business time of calendars.

use std::collections::{HashMap, HashSet};

use entity::{
    account, business_calendar, business_interval,
    case::{self, Severity},
    customer,
    deadline::DeadlineKind,
    feedback_record::Priority,
    holiday,
    id::{AccountId, BusinessCalendarId, CustomerId, ResponsePolicyId},
    response_policy::{self, Model as Policy},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, prelude::Uuid};

use super::clock::Terms;
use crate::{
    Error, Result,
    business_time::BusinessTime,
    response::{business_calendar::MOST_INTERVALS, holiday::MOST_HOLIDAYS, rule_filters::RuleFilters},
    store::{Connection, Scope, Tx, writing::draft::Draft},
};

/// What decides about the policy of a case.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    pub(super) selected: Option<ResponsePolicyId>,
    pub(super) priority: Option<Priority>,
    pub(super) severity: Option<Severity>,
    pub(super) account: Option<AccountId>,
    pub(super) customer: Option<CustomerId>,
}

/// The policies that are not archived, in the order in which they are evaluated.
#[derive(Debug, Default)]
pub(super) struct Policies {
    active: Vec<Policy>,
    filters: RuleFilters,
    /// Segments of accounts and customers.
    segments: HashMap<Uuid, String>,
    /// Policies whose filters a case meets, by case.
    met: HashMap<Uuid, HashSet<Uuid>>,
}

impl Policies {
    pub(super) async fn read(tx: &Tx) -> Result<Self> {
        let active = response_policy::Entity::find()
            .filter(response_policy::Column::ArchivedAt.is_null())
            .order_by_asc(response_policy::Column::Position)
            .order_by_asc(response_policy::Column::Id);
        let policies = tx.all_unchecked(active).await?;
        let given = policies.iter().map(|policy| (policy.id.0, policy.filter.as_deref()));
        let filters = RuleFilters::read(tx, &case::NOUN, given).await?;
        Ok(Self { active: policies, filters, ..Self::default() })
    }

    /// Returns whether a filter asks for something that a draft of a case changes.
    pub(super) fn ask_for_changes(&self, draft: &Draft) -> bool {
        self.filters.ask_for(&draft.changes().iter().map(|(column, _)| column.name).collect::<Vec<_>>())
    }

    /// Evaluates the conditions on drafts of cases that need other rows.
    pub(super) async fn evaluate(&mut self, tx: &Tx, cases: &[(&Draft, Facts)]) -> Result<()> {
        let drafts: Vec<&Draft> = cases.iter().map(|(draft, _)| *draft).collect();
        let met = self.filters.met_by(tx, &drafts).await?;
        self.met = drafts.iter().map(|draft| draft.id).zip(met).collect();
        self.read_segments(tx, cases.iter().map(|(_, facts)| *facts).collect()).await
    }

    /// Evaluates the conditions on stored cases that need other rows.
    pub(super) async fn evaluate_stored(&mut self, tx: &Tx, cases: &[(Uuid, Facts)]) -> Result<()> {
        let ids: Vec<Uuid> = cases.iter().map(|(id, _)| *id).collect();
        self.met = self.filters.met_by_stored(tx, &case::NOUN, &ids).await?;
        self.read_segments(tx, cases.iter().map(|(_, facts)| *facts).collect()).await
    }

    async fn read_segments(&mut self, tx: &Tx, cases: Vec<Facts>) -> Result<()> {
        if self.active.iter().any(|policy| policy.segment.is_some()) {
            let ids: Vec<Uuid> = distinct(cases.iter().filter_map(|facts| facts.account).map(Uuid::from));
            let accounts = tx.select_by_ids_unchecked((account::ID, account::SEGMENT), &ids).await?;
            self.segments.extend(accounts.into_iter().filter_map(|(id, segment)| Some((id.into(), segment?))));
            let ids: Vec<Uuid> = distinct(cases.iter().filter_map(|facts| facts.customer).map(Uuid::from));
            let customers = tx.select_by_ids_unchecked((customer::ID, customer::SEGMENT), &ids).await?;
            self.segments.extend(customers.into_iter().filter_map(|(id, segment)| Some((id.into(), segment?))));
        }
        Ok(())
    }

    /// Returns the selected policy of an evaluated case, or else the first one whose conditions hold.
    pub(super) fn choose(&self, case: Uuid, facts: Facts) -> Option<&Policy> {
        if let Some(selected) = self.active.iter().find(|policy| Some(policy.id) == facts.selected) {
            return Some(selected);
        }
        let ids = [facts.account.map(Uuid::from), facts.customer.map(Uuid::from)];
        let has_segment =
            |wanted: &str| ids.iter().flatten().any(|id| self.segments.get(id).is_some_and(|it| it == wanted));
        self.active.iter().find(|policy| {
            policy.priority.is_none_or(|wanted| facts.priority == Some(wanted))
                && policy.severity.is_none_or(|wanted| facts.severity == Some(wanted))
                && policy.segment.as_deref().is_none_or(has_segment)
                && (policy.filter.is_none() || self.met.get(&case).is_some_and(|met| met.contains(&policy.id.0)))
        })
    }
}

/// Returns what a policy says of the clock of a kind; `None` if it sets no time for it.
pub(super) fn terms(policy: &Policy, kind: DeadlineKind) -> Option<Terms> {
    let target_minutes = match kind {
        DeadlineKind::Acknowledge => policy.acknowledge_minutes,
        DeadlineKind::FirstResponse => policy.first_response_minutes,
        DeadlineKind::NextResponse => policy.next_response_minutes,
        DeadlineKind::Resolution => policy.resolution_minutes,
    };
    Some(Terms {
        policy: policy.id,
        name: policy.name.clone(),
        version: policy.version,
        calendar: policy.calendar_id,
        target_minutes: target_minutes?,
        is_paused_for_customer: policy.is_paused_for_customer,
        is_paused_for_third_party: policy.is_paused_for_third_party,
    })
}

/// The business time of calendars.
#[derive(Debug, Default)]
pub(in crate::response) struct Calendars(HashMap<BusinessCalendarId, BusinessTime>);

impl Calendars {
    /// Reads calendars with their intervals and holidays.
    pub(in crate::response) async fn read<C: Connection>(
        scope: &Scope<C>,
        ids: impl IntoIterator<Item = BusinessCalendarId>,
    ) -> Result<Self> {
        let ids = distinct(ids.into_iter().map(Uuid::from));
        if ids.is_empty() {
            return Ok(Self::default());
        }
        let columns = (business_calendar::ID, business_calendar::TIME_ZONE);
        let zones = scope.select_by_ids_unchecked(columns, &ids).await?;
        let columns = (
            business_interval::CALENDAR_ID,
            business_interval::WEEKDAY,
            business_interval::OPENS,
            business_interval::CLOSES,
        );
        let most = ids.len() * MOST_INTERVALS;
        let intervals = scope.select_unchecked(columns, business_interval::CALENDAR_ID, &ids, most).await?;
        let columns = (holiday::CALENDAR_ID, holiday::DATE);
        let holidays = scope.select_unchecked(columns, holiday::CALENDAR_ID, &ids, ids.len() * MOST_HOLIDAYS).await?;
        let times = zones.into_iter().map(|(id, zone)| {
            let zone = zone.parse().map_err(|_| Error::internal("a time zone is not known"))?;
            let own = intervals.iter().filter(|(calendar, ..)| *calendar == id);
            let own = own.map(|(_, weekday, opens, closes)| (*weekday, *opens, *closes));
            let closed = holidays.iter().filter(|(calendar, _)| *calendar == id).map(|(_, date)| *date);
            Ok((id, BusinessTime::new(zone, own, closed)))
        });
        Ok(Self(times.collect::<Result<_>>()?))
    }

    /// Returns the business time of a calendar; `None` if there is no such calendar.
    pub(in crate::response) fn find(&self, id: BusinessCalendarId) -> Option<&BusinessTime> {
        self.0.get(&id)
    }

    /// Returns the business time of a calendar that a stored row refers to.
    pub(super) fn get(&self, id: BusinessCalendarId) -> Result<&BusinessTime> {
        self.find(id).ok_or_else(|| Error::internal("a calendar was not read"))
    }
}

fn distinct(ids: impl Iterator<Item = Uuid>) -> Vec<Uuid> {
    ids.collect::<HashSet<_>>().into_iter().collect()
}
