//! Whether a customer may be contacted, and from when: pure functions, by which plans are refused, records flagged and
//! questions answered.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use entity::{
    consent::ConsentPurpose,
    contact_policy::{ContactRule, Model as Policy},
    interaction::InteractionPurpose,
    kind::LocalTime,
    organization::Weekday,
};
use sea_orm::{Iterable, prelude::Uuid};

use super::policy::quiet_hours;
use crate::{business_time::BusinessTime, record::consent::Decision};

/// Milliseconds of a day of a policy.
const DAY: i64 = 24 * 60 * 60 * 1_000;
/// Maximum number of steps of the search for an instant that every policy allows.
const MOST_STEPS: usize = 1_000;

/// A contact with a customer, planned or completed. Times are in epoch milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contact {
    pub(super) at: i64,
    pub(super) medium: Option<Uuid>,
    pub(super) purpose: Option<InteractionPurpose>,
}

/// What is known of a customer, as far as policies depend on it.
#[derive(Debug)]
pub(super) struct Customer {
    pub(super) zone: Tz,
    pub(super) segment: Option<String>,
    /// The contacts, each with its interaction.
    pub(super) contacts: Vec<(Uuid, Contact)>,
    /// The decisions, the oldest first.
    pub(super) consents: Vec<Decision>,
    /// From when until when cases were open; an open one has no end.
    pub(super) cases: Vec<(i64, Option<i64>)>,
    /// When offers were declined and presented.
    pub(super) declined: Vec<i64>,
    pub(super) presented: Vec<i64>,
}

impl Customer {
    /// A customer of whom nothing else is known.
    pub(super) const fn new(zone: Tz, segment: Option<String>) -> Self {
        Self {
            zone,
            segment,
            contacts: Vec::new(),
            consents: Vec::new(),
            cases: Vec::new(),
            declined: Vec::new(),
            presented: Vec::new(),
        }
    }
}

/// The categories of mediums.
#[derive(Debug, Default)]
pub(super) struct Mediums(pub(super) HashMap<Uuid, Option<Uuid>>);

impl Mediums {
    /// Returns whether a medium is another one or below it.
    fn is_within(&self, medium: Uuid, category: Uuid) -> bool {
        let mut next = Some(medium);
        let mut passed = HashSet::new();
        while let Some(id) = next.filter(|id| passed.insert(*id)) {
            if id == category {
                return true;
            }
            next = self.0.get(&id).copied().flatten();
        }
        false
    }
}

/// A rule that a contact breaks.
#[derive(Clone, Debug)]
pub(super) struct Breach<'a> {
    pub(super) policy: &'a Policy,
    pub(super) rule: ContactRule,
    /// When the rule allows the contact; `None` if that depends on the customer or on a case.
    pub(super) allowed_at: Option<i64>,
}

/// The rules that cover a contact, whenever it is.
pub(super) struct Checks<'a>(Vec<(&'a Policy, ContactRule, When)>);

/// When a rule allows a contact.
enum When {
    /// At any instant outside these ranges, ordered by their starts. A range that ends with [`i64::MAX`] has no known end.
    Outside(Vec<(i64, i64)>),
    /// Within these hours.
    Within(BusinessTime),
}

impl When {
    /// Returns the first allowed instant that is not before another one; `None` if none is known.
    fn next(&self, from: i64) -> Option<i64> {
        match self {
            Self::Outside(ranges) => {
                let pass = |at: i64, (start, end): &(i64, i64)| if *start <= at && at < *end { *end } else { at };
                Some(ranges.iter().fold(from, pass)).filter(|at| *at < i64::MAX)
            }
            Self::Within(hours) => {
                let moment = TimeDelta::milliseconds(1);
                let end = hours.after(DateTime::<Utc>::from_timestamp_millis(from)?, moment)?;
                Some(end.timestamp_millis() - 1)
            }
        }
    }
}

impl<'a> Checks<'a> {
    /// Returns the rules of the policies that cover a contact with a customer. `own` is its interaction, which does not
    /// count.
    pub(super) fn of(
        policies: &'a [Policy],
        mediums: &Mediums,
        customer: &Customer,
        own: Option<Uuid>,
        contact: &Contact,
    ) -> Self {
        let mut checks = Vec::new();
        for policy in policies.iter().filter(|policy| is_for(policy, customer) && covers(policy, mediums, contact)) {
            let mut add = |rule, when| checks.push((policy, rule, when));
            if let Some(most) = policy.most_contacts {
                let counted = customer.contacts.iter();
                let counted = counted.filter(|(id, other)| Some(*id) != own && covers(policy, mediums, other));
                let times = counted.map(|(_, other)| other.at).collect();
                add(ContactRule::Cap, When::Outside(full(times, most, policy.period_days * DAY)));
            }
            if let Some(quiet) = quiet_hours(policy.quiet_from, policy.quiet_until) {
                add(ContactRule::QuietHours, When::Within(loud(customer.zone, quiet)));
            }
            if policy.is_consent_required {
                add(ContactRule::Consent, When::Outside(without_consent(mediums, customer, contact)));
            }
            if policy.is_refused_during_case {
                let mut open: Vec<_> =
                    customer.cases.iter().map(|(from, to)| (*from, to.unwrap_or(i64::MAX))).collect();
                open.sort_unstable();
                add(ContactRule::OpenCase, When::Outside(open));
            }
            if let Some(most) = policy.suppress_after_declined {
                let days = (policy.declined_within_days, policy.declined_suppress_days);
                add(ContactRule::DeclinedOffers, When::Outside(suppressed(&customer.declined, most, days)));
            }
            if let Some(most) = policy.suppress_after_presented {
                let days = (policy.presented_within_days, policy.presented_suppress_days);
                add(ContactRule::PresentedOffers, When::Outside(suppressed(&customer.presented, most, days)));
            }
        }
        Self(checks)
    }

    /// Returns the rules that a contact at an instant breaks.
    pub(super) fn breaches(&self, at: i64) -> Vec<Breach<'a>> {
        let next = self.0.iter().map(|(policy, rule, when)| (policy, rule, when.next(at)));
        let broken = next.filter(|(.., next)| *next != Some(at));
        broken.map(|(policy, rule, allowed_at)| Breach { policy, rule: *rule, allowed_at }).collect()
    }

    /// Returns the first instant not before another one at which every rule allows the contact; `None` if none is known.
    pub(super) fn allowed_at(&self, from: i64) -> Option<i64> {
        let mut at = from;
        for _ in 0..MOST_STEPS {
            let next = self.0.iter().try_fold(at, |at, (.., when)| when.next(at))?;
            if next == at {
                return Some(at);
            }
            at = next;
        }
        None
    }
}

fn is_for(policy: &Policy, customer: &Customer) -> bool {
    policy.segment.is_none() || policy.segment == customer.segment
}

/// Returns whether medium and purpose of a contact fulfil the conditions of a policy.
fn covers(policy: &Policy, mediums: &Mediums, contact: &Contact) -> bool {
    let is_by = |category: Uuid| contact.medium.is_some_and(|medium| mediums.is_within(medium, category));
    may_cover(policy, contact) && policy.medium_id.is_none_or(|medium| is_by(medium.0))
}

/// Returns whether a policy covers a contact if its medium is within that of the policy.
pub(super) fn may_cover(policy: &Policy, contact: &Contact) -> bool {
    policy.purpose.is_none_or(|purpose| purpose == purpose_of(contact.purpose))
        && (policy.medium_id.is_none() || contact.medium.is_some())
}

/// Returns what a contact is for. One that does not say so is held to the strictest.
const fn purpose_of(purpose: Option<InteractionPurpose>) -> ConsentPurpose {
    match purpose {
        None | Some(InteractionPurpose::Sell | InteractionPurpose::Share) => ConsentPurpose::Marketing,
        Some(InteractionPurpose::Learn) => ConsentPurpose::Research,
        Some(_) => ConsentPurpose::Service,
    }
}

/// Returns the groups of `most` successive times that are less than a period long, each with its first and last one.
fn groups(mut times: Vec<i64>, most: i64, period: i64) -> Vec<(i64, i64)> {
    times.sort_unstable();
    let size = usize::try_from(most).unwrap_or(usize::MAX).max(1);
    let pairs = times.windows(size).filter_map(|group| Some((*group.first()?, *group.last()?)));
    pairs.filter(|(first, last)| last - first < period).collect()
}

/// Returns the ranges in which one more contact would be one too many within a period.
fn full(times: Vec<i64>, most: i64, period: i64) -> Vec<(i64, i64)> {
    groups(times, most, period).into_iter().map(|(first, last)| (last - period + 1, first + period)).collect()
}

/// Returns the ranges after so many offers within days, for days.
fn suppressed(times: &[i64], most: i64, (within, days): (i64, i64)) -> Vec<(i64, i64)> {
    groups(times.to_vec(), most, within * DAY).into_iter().map(|(_, last)| (last + 1, last + days * DAY)).collect()
}

/// Returns the ranges in which a customer has not consented to a contact.
fn without_consent(mediums: &Mediums, customer: &Customer, contact: &Contact) -> Vec<(i64, i64)> {
    let purpose = purpose_of(contact.purpose);
    let is_about = |decision: &&Decision| {
        let is_by = |category| contact.medium.is_some_and(|medium| mediums.is_within(medium, category));
        decision.purpose == purpose && decision.medium.is_none_or(|category| is_by(category.0))
    };
    let mut ranges = Vec::new();
    let mut since = Some(i64::MIN);
    for decision in customer.consents.iter().filter(is_about) {
        let at = decision.at.timestamp_millis();
        if decision.is_granted {
            ranges.extend(since.take().map(|since| (since, at)));
        } else {
            since = since.or(Some(at));
        }
    }
    ranges.extend(since.map(|since| (since, i64::MAX)));
    ranges
}

/// Returns the hours of every day that are not quiet.
fn loud(zone: Tz, (from, until): (LocalTime, LocalTime)) -> BusinessTime {
    let open = if from < until { vec![(LocalTime::START, from), (until, LocalTime::END)] } else { vec![(until, from)] };
    let ranges = Weekday::iter().flat_map(|day| open.iter().map(move |(opens, closes)| (day, *opens, *closes)));
    BusinessTime::new(zone, ranges.filter(|(_, opens, closes)| opens < closes), [])
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
