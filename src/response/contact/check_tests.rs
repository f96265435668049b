use chrono::{DateTime, Timelike as _};
use entity::id::ContactPolicyId;
use proptest::{collection::vec, option, prelude::*};
use sea_orm::prelude::ChronoUnixTimestampMillis;

use super::*;

const HOUR: i64 = DAY / 24;

fn policy() -> Policy {
    let now = ChronoUnixTimestampMillis(DateTime::UNIX_EPOCH);
    Policy {
        organization_id: Uuid::nil().into(),
        id: ContactPolicyId(Uuid::nil()),
        version: 1,
        created_at: now,
        updated_at: now,
        name: "Policy".to_owned(),
        name_folded: "policy".to_owned(),
        purpose: None,
        segment: None,
        most_contacts: None,
        period_days: 1,
        quiet_from: None,
        quiet_until: None,
        is_consent_required: false,
        is_refused_during_case: false,
        suppress_after_declined: None,
        declined_within_days: 1,
        declined_suppress_days: 1,
        suppress_after_presented: None,
        presented_within_days: 1,
        presented_suppress_days: 1,
        medium_id: None,
        archived_at: None,
    }
}

fn contact(at: i64) -> Contact {
    Contact { at, medium: None, purpose: None }
}

/// A customer with contacts and declined offers, in Berlin.
fn customer(contacts: &[i64], declined: &[i64]) -> Customer {
    let mut customer = Customer::new(Tz::Europe__Berlin, None);
    customer.contacts = contacts.iter().map(|at| (Uuid::new_v4(), contact(*at))).collect();
    customer.declined = declined.to_vec();
    customer
}

/// The definition of the cap: no window of a period with the contact holds more than the policy says.
fn is_within_cap(most: i64, period: i64, contacts: &[i64], at: i64) -> bool {
    let starts = contacts.iter().copied().chain([at, at - period + 1]);
    starts.filter(|start| (*start..*start + period).contains(&at)).all(|start| {
        let others = contacts.iter().filter(|other| (start..start + period).contains(*other)).count();
        i64::try_from(others).unwrap() < most
    })
}

/// The definition of suppression: it ends so many days after an offer before which others were declined.
fn is_suppressed(most: i64, (within, days): (i64, i64), declined: &[i64], at: i64) -> bool {
    declined.iter().any(|last| {
        let before = declined.iter().filter(|other| **other <= *last && *last - **other < within * DAY).count();
        i64::try_from(before).unwrap() >= most && *last < at && at < *last + days * DAY
    })
}

fn is_quiet(from: i64, until: i64, at: i64) -> bool {
    let clock = DateTime::from_timestamp_millis(at).unwrap().with_timezone(&Tz::Europe__Berlin);
    let minute = i64::from(clock.hour() * 60 + clock.minute());
    if from < until { (from..until).contains(&minute) } else { minute >= from || minute < until }
}

fn time(minutes: i64) -> LocalTime {
    LocalTime::parse(&format!("{:02}:{:02}", minutes / 60, minutes % 60)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_allowed_instant_is_the_first_by_the_definitions(
        // Around the change of the clocks on 29 March 2026, in hours.
        hours in vec(0_i64..300, 0..12),
        refusals in vec(0_i64..150, 0..6),
        (most, days) in (1_i64..4, 1_i64..5),
        (from, until) in (0_i64..48, 0_i64..48),
        (many, within, suppressed) in (1_i64..4, 1_i64..4, 1_i64..6),
        wanted in 0_i64..300,
        shift in option::of(0_i64..HOUR),
    ) {
        prop_assume!(from != until);
        let start = DateTime::parse_from_rfc3339("2026-03-24T00:00:00Z").unwrap().timestamp_millis();
        let contacts: Vec<i64> = hours.iter().map(|hour| start + hour * HOUR).collect();
        let declined: Vec<i64> = refusals.iter().map(|hour| start + hour * HOUR).collect();
        let mut policy = policy();
        (policy.most_contacts, policy.period_days) = (Some(most), days);
        (policy.quiet_from, policy.quiet_until) = (Some(time(from * 30)), Some(time(until * 30)));
        policy.suppress_after_declined = Some(many);
        (policy.declined_within_days, policy.declined_suppress_days) = (within, suppressed);
        let allows = |at: i64| {
            is_within_cap(most, days * DAY, &contacts, at)
                && !is_quiet(from * 30, until * 30, at)
                && !is_suppressed(many, (within, suppressed), &declined, at)
        };
        let at = start + wanted * HOUR + shift.unwrap_or_default();
        let policies = [policy];
        let mediums = Mediums::default();
        let customer = customer(&contacts, &declined);
        let checks = Checks::of(&policies, &mediums, &customer, None, &contact(at));
        prop_assert_eq!(checks.breaches(at).is_empty(), allows(at));
        let first = checks.allowed_at(at).unwrap();
        prop_assert!(first >= at && allows(first));
        prop_assert!(first == at || !allows(first - 1));
        let step = usize::try_from(HOUR / 4).unwrap();
        prop_assert!((at..first).step_by(step).all(|at| !allows(at)));
    }
}

#[test]
fn contacts_exactly_one_period_apart_are_allowed() {
    let mut policy = policy();
    policy.most_contacts = Some(1);
    let (policies, customer) = ([policy], customer(&[10 * DAY], &[]));
    let checks = Checks::of(&policies, &Mediums::default(), &customer, None, &contact(0));
    for (at, is_allowed) in
        [(9 * DAY, true), (9 * DAY + 1, false), (10 * DAY, false), (11 * DAY - 1, false), (11 * DAY, true)]
    {
        assert_eq!(checks.breaches(at).is_empty(), is_allowed, "{at}");
    }
    assert_eq!(checks.allowed_at(9 * DAY + 1), Some(11 * DAY));
}

#[test]
fn a_contact_itself_does_not_count() {
    let mut policy = policy();
    policy.most_contacts = Some(1);
    let (policies, customer) = ([policy], customer(&[DAY], &[]));
    let own = Some(customer.contacts[0].0);
    let checks = Checks::of(&policies, &Mediums::default(), &customer, own, &contact(DAY));
    assert!(checks.breaches(DAY).is_empty());
}

#[test]
fn a_circle_of_mediums_ends() {
    let [one, other, third] = [Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3)];
    let mediums = Mediums(HashMap::from([(one, Some(other)), (other, Some(one))]));
    assert!(mediums.is_within(one, other) && !mediums.is_within(one, third));
}
