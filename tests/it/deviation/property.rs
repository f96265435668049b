//! Random journeys and customers, compared by the definitions alone.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, option, prelude::*, test_runner};
use serde_json::{Value, json};

use super::{deviation, found, known, map, minute, named, plan, upsert};
use crate::app::App;

const POINTS: [&str; 4] = ["a", "b", "c", "x"];
const MEDIUMS: [&str; 3] = ["voice", "phone", "letter"];
const LABELS: [&str; 6] = ["s0", "s1", "s2", "s3", "s4", "s5"];
const LINKS: [&str; 4] = ["SEQUENCE", "OPTIONAL", "PARALLEL", "LOOP"];

/// A link: its ends and its kind.
type Link = (usize, usize, usize);
/// An interaction: its point, its medium, and how many minutes after it was scheduled it took place.
type Visit = (Option<usize>, Option<usize>, Option<i64>);

/// The points of the steps, and links: onward in the order of positions unless they are LOOP links.
fn journey() -> impl Strategy<Value = (Vec<usize>, Vec<Link>)> {
    let link = (0..LABELS.len(), 0..LABELS.len(), 0..LINKS.len());
    (vec(0..3_usize, 1..=LABELS.len()), vec(link, 0..9)).prop_map(|(steps, links)| {
        let count = steps.len();
        let placed = links.into_iter().filter_map(|(one, other, kind)| {
            let (low, high) = (one.min(other) % count, one.max(other) % count);
            let (low, high) = (low.min(high), low.max(high));
            (low != high).then_some(if LINKS[kind] == "LOOP" { (high, low, kind) } else { (low, high, kind) })
        });
        let placed: BTreeSet<Link> = placed.collect();
        (steps, placed.into_iter().collect())
    })
}

fn visits() -> impl Strategy<Value = Vec<Vec<Visit>>> {
    let visit = (option::weighted(0.9, 0..POINTS.len()), option::of(0..MEDIUMS.len()), option::of(-1..2_i64));
    vec(vec(visit, 0..9), 1..4)
}

/// Whether a path of links other than LOOP leads from one step to another.
fn leads(links: &[Link], from: usize, to: usize) -> bool {
    let onward = links.iter().filter(|(start, _, kind)| *start == from && LINKS[*kind] != "LOOP");
    onward.into_iter().any(|(_, end, _)| *end == to || leads(links, *end, to))
}

fn is_required(links: &[Link], visited: &BTreeSet<usize>, step: usize) -> bool {
    let mut into = links.iter().filter(|(_, to, kind)| *to == step && LINKS[*kind] != "LOOP").peekable();
    into.peek().is_none()
        || into.any(|(from, _, kind)| {
            LINKS[*kind] != "OPTIONAL" && (visited.contains(from) || is_required(links, visited, *from))
        })
}

/// Whether a LOOP link leads from a step behind the customer back to a step.
fn leads_back(links: &[Link], behind: &BTreeSet<usize>, (from, to, kind): Link, step: usize) -> bool {
    let is_within = (to == step || leads(links, to, step)) && (step == from || leads(links, step, from));
    LINKS[kind] == "LOOP" && behind.contains(&from) && (step == to || is_within)
}

/// A deviation: customer, minute and step.
type Found = BTreeMap<&'static str, Vec<(usize, usize, Option<usize>)>>;

/// All deviations of a customer.
fn deviations(
    steps: &[usize],
    links: &[Link],
    mediums: &[usize],
    customer: usize,
    visits: &[Visit],
    found: &mut Found,
) {
    let is_planned = |visit: &Visit| visit.0.is_some_and(|point| steps.contains(&point));
    let (mut behind, mut visited, mut order) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for (at, visit) in visits.iter().enumerate() {
        let mut add = |kind, step| found.entry(kind).or_default().push((customer, at, step));
        if !is_planned(visit) {
            if visits[..at].iter().any(is_planned) && visits[at..].iter().any(is_planned) {
                add("EXTRA", None);
            }
            continue;
        }
        let places: Vec<usize> = (0..steps.len()).filter(|step| Some(steps[*step]) == visit.0).collect();
        let fits = |step: &usize| !behind.contains(step) && behind.iter().all(|later| !leads(links, *step, *later));
        let returns = |step: &usize| links.iter().any(|link| leads_back(links, &behind, *link, *step));
        let step = if let Some(step) = places.iter().copied().find(fits) {
            step
        } else if let Some(step) = places.iter().copied().find(returns) {
            let taken: Vec<usize> =
                links.iter().filter(|link| leads_back(links, &behind, **link, step)).map(|link| link.1).collect();
            behind.retain(|known| !taken.iter().any(|to| to == known || leads(links, *to, *known)));
            step
        } else if let Some(step) = places.iter().copied().find(|step| !behind.contains(step)) {
            add("OUT_OF_ORDER", Some(step));
            step
        } else {
            let step = *places.last().unwrap();
            add("EXTRA", Some(step));
            step
        };
        behind.insert(step);
        visited.insert(step);
        order.push((at, step));
        // The medium 1 is below the medium 0.
        let is_among = |medium: usize| mediums.contains(&medium) || medium == 1 && mediums.contains(&0);
        if !mediums.is_empty() && visit.1.is_some_and(|medium| !is_among(medium)) {
            add("OTHER_MEDIUM", Some(step));
        }
        if visit.2.is_some_and(|late| late > 0) {
            add("LATE", Some(step));
        }
    }
    for step in 0..steps.len() {
        let later = order.iter().find(|(_, known)| leads(links, step, *known));
        if let Some((at, _)) = later.filter(|_| !visited.contains(&step) && is_required(links, &visited, step)) {
            found.entry("MISSING").or_default().push((customer, *at, Some(step)));
        }
    }
}

/// The deviations of a kind as [`found`] shows them.
fn shown(all: &[(usize, usize, Option<usize>)]) -> Value {
    let customers = |of: &dyn Fn(Option<usize>) -> bool| {
        all.iter().filter(|(_, _, step)| of(*step)).map(|(customer, ..)| customer).collect::<BTreeSet<_>>().len()
    };
    let label = |step: Option<usize>| step.map(|step| LABELS[step]);
    let steps = (0..LABELS.len()).map(Some).chain([None]).filter_map(|step| {
        let count = all.iter().filter(|(_, _, known)| *known == step).count();
        (count > 0).then(|| json!([label(step), count, customers(&|known| known == step)]))
    });
    let steps: Vec<Value> = steps.collect();
    let examples = all.iter().take(5).map(|(customer, at, step)| json!([customer.to_string(), at, label(*step)]));
    json!([all.len(), customers(&|_| true), steps, examples.collect::<Vec<_>>()])
}

#[test]
fn deviations_are_those_of_the_definitions() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(App::start());
    let config = ProptestConfig { cases: 60, max_shrink_iters: 60, failure_persistence: None, ..Default::default() };
    let count = std::cell::Cell::new(0);
    let caller = runtime.block_on(async {
        let caller = app.admin("one").await;
        map(&caller, &POINTS).await;
        caller
    });
    let given = (journey(), vec(0..MEDIUMS.len(), 0..3), visits());
    let result = test_runner::TestRunner::new(config).run(&given, |((steps, links), mediums, customers)| {
        count.set(count.get() + 1);
        runtime.block_on(async {
            let trip = format!("trip{}", count.get());
            let mediums: BTreeSet<usize> = mediums.into_iter().collect();
            let mediums: Vec<usize> = mediums.into_iter().collect();
            for point in POINTS {
                let all: Vec<Value> = mediums.iter().map(|medium| known(MEDIUMS[*medium])).collect();
                let set = json!({ "by": known(point), "mediums": all });
                caller.mutate("interactionPointSetMediums", set, "outcome").await;
            }
            let placed: Vec<(&str, &str)> =
                steps.iter().zip(LABELS).map(|(point, label)| (label, POINTS[*point])).collect();
            let drawn: Vec<(&str, &str, &str)> =
                links.iter().map(|(from, to, kind)| (LABELS[*from], LINKS[*kind], LABELS[*to])).collect();
            plan(&caller, &trip, &placed, &drawn).await;
            let person = |customer: usize| format!("{trip} {customer}");
            let rows = (0..customers.len())
                .map(|customer| named(&person(customer), json!({ "name": customer.to_string(), "segment": trip })));
            upsert(&caller, "customers", rows.collect()).await;
            let rows = customers.iter().enumerate().flat_map(|(customer, visits)| {
                visits.iter().zip(0..).map(move |((point, medium, late), at)| (customer, *point, *medium, *late, at))
            });
            let rows = rows.map(|(customer, point, medium, late, at)| {
                let row = json!({
                    "status": "COMPLETED", "occurredAt": minute(at + 1), "customerRef": known(&person(customer)),
                    "scheduledAt": late.map(|late| minute(at + 1 - late)),
                    "pointRef": point.map(|point| known(POINTS[point])),
                    "mediumRef": medium.map(|medium| known(MEDIUMS[medium])),
                });
                named(&format!("{trip} {customer} {at}"), row)
            });
            let rows: Vec<Value> = rows.collect();
            if !rows.is_empty() {
                upsert(&caller, "interactions", rows).await;
            }
            let mut wanted = Found::new();
            for (customer, visits) in customers.iter().enumerate() {
                deviations(&steps, &links, &mediums, customer, visits, &mut wanted);
            }
            let report = deviation(&caller, json!({ "journey": known(&trip), "segment": trip })).await;
            for kind in ["MISSING", "EXTRA", "OUT_OF_ORDER", "OTHER_MEDIUM", "LATE"] {
                let all = wanted.remove(kind).unwrap_or_default();
                // The first minute is 1.
                let all: Vec<_> = all.into_iter().map(|(customer, at, step)| (customer, at + 1, step)).collect();
                prop_assert_eq!(found(&report, kind), shown(&all), "{}", kind);
            }
            Ok(())
        })
    });
    result.unwrap();
}
