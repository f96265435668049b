//! The data set that every server is queried about. It is deterministic: the same on every machine.

use uuid::Uuid;

/// Version of the data set. Increase it when rows change: prepared databases are stored under this number.
pub const VERSION: u32 = 6;

/// Number of organizations; the first is the large one.
pub const ORGANIZATIONS: u64 = 100;
/// Number of small organizations that are only read. The following ones are written to.
pub const READ: u64 = 80;
/// Interaction points per organization.
pub const POINTS: u64 = 50;
/// Expectations per point, all ranked.
pub const EXPECTATIONS: u64 = 5;
/// Mediums per organization.
pub const MEDIUMS: u64 = 5;
/// Departments per organization; the first is the fallback.
pub const DEPARTMENTS: u64 = 4;
/// Customers per organization.
pub const CUSTOMERS: u64 = 10;
/// Offers per organization.
pub const OFFERS: u64 = 3;
/// Number of small organizations, from the first one on, whose first customer has a long timeline.
pub const TIMELINES: u64 = 8;
/// Interactions on a long timeline.
const INTERACTIONS: u64 = 3_000;
/// Purchases on a long timeline.
const PURCHASES: u64 = 1_000;
/// Every which feedback record of the organization is on a long timeline: 1,000 records.
const EVERY: u64 = 10;
/// Number of the organization of which one department has much work.
pub const BUSY: u64 = TIMELINES + 1;
/// Open cases of the busy department; it has a tenth as many closed ones, and as many follow-ups.
const CASES: u64 = 100_000;
/// Number of the first organization with playbooks. Only completed interactions are written to these.
pub const PLAYED: u64 = 95;
/// Playbooks of each of them.
pub const PLAYBOOKS: u64 = 3;
/// Feedback records of the large organization.
pub const LARGE: u64 = 1_000_000;
/// Feedback records of each other organization.
pub const SMALL: u64 = 10_000;

/// Creation time of the first organization in epoch milliseconds: 2024-12-01 00:00 UTC.
const FOUNDED: u64 = 1_733_011_200_000;
/// Time of the first feedback record in epoch milliseconds: Monday, 2024-12-30 00:00 UTC.
const BEGAN: u64 = 1_735_516_800_000;
/// Milliseconds between two records of the large organization. All its records span a year.
const STEP: u64 = 31_536;

const POINT_KINDS: [&str; 6] =
    ["POINT_OF_SALE", "POINT_OF_SERVICE", "POINT_OF_REPAIR", "DELIVERY", "BILLING", "PRODUCT_USE"];
/// Kinds of feedback, equally frequent.
pub const KINDS: [&str; 6] = ["COMPLAINT", "SUGGESTION", "PRAISE", "QUESTION", "TESTIMONIAL", "SURVEY"];
const PRODUCTS: [&str; 8] = ["Kettle", "Toaster", "Lamp", "Radio", "Fan", "Heater", "Blender", "Scale"];
/// Routing rules of each organization: name, matched kind, index of the department, priority.
pub const RULES: [(&str, &str, u64, &str); 3] =
    [("Complaints", "COMPLAINT", 1, "HIGH"), ("Questions", "QUESTION", 2, "NORMAL"), ("Praise", "PRAISE", 3, "LOW")];

/// Returns a pseudo-random number for a number (splitmix64).
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Returns a deterministic UUIDv7 for a row of a table. `millis` is the creation time in epoch milliseconds.
fn id(table: u64, number: u64, millis: u64) -> Uuid {
    let random = mix(mix(table).wrapping_add(number));
    let high = millis << 16 | 0x7000 | (random >> 52);
    let low = 0x8000_0000_0000_0000 | (mix(random) >> 2);
    Uuid::from_u64_pair(high, low)
}

/// An organization and its map.
pub struct Organization {
    /// Index of the organization, from 0.
    pub number: u64,
    pub id: Uuid,
    pub slug: String,
    pub made: i64,
    pub departments: Vec<Uuid>,
    pub mediums: Vec<Uuid>,
    pub points: Vec<Point>,
    pub rules: Vec<Uuid>,
    pub customers: Vec<Uuid>,
    pub offers: Vec<Uuid>,
    pub playbooks: Vec<Uuid>,
    /// Number of feedback records.
    pub records: u64,
}

/// An interaction point.
pub struct Point {
    pub id: Uuid,
    pub kind: &'static str,
    pub name: String,
    pub description: String,
    pub expectations: Vec<Expectation>,
}

/// An expectation.
pub struct Expectation {
    pub id: Uuid,
    pub kind: &'static str,
    pub statement: String,
    pub importance: i64,
    pub rank: i64,
}

/// A feedback record with its routing and its creation event.
pub struct Record {
    /// Index of the organization.
    pub organization: usize,
    pub id: Uuid,
    pub routing: Uuid,
    pub event: Uuid,
    /// Sequence number within the organization, from 1.
    pub sequence: i64,
    pub at: i64,
    pub kind: &'static str,
    pub score: Option<f64>,
    pub body: String,
    pub nps: Option<i64>,
    pub product: Option<&'static str>,
    pub point: Uuid,
    pub medium: Uuid,
    pub customer: Option<Uuid>,
    /// Index of the rule that matched.
    pub rule: Option<usize>,
}

impl Record {
    /// Returns the sentiment for the score.
    pub fn sentiment(&self) -> Option<&'static str> {
        self.score.map(|score| match score {
            low if low < -0.33 => "NEGATIVE",
            high if high > 0.33 => "POSITIVE",
            _ => "NEUTRAL",
        })
    }

    /// Returns the index of the department that the record is routed to.
    pub fn department(&self) -> usize {
        self.rule.map_or(0, |rule| RULES[rule].2 as usize)
    }

    /// Returns the priority that routing sets.
    pub fn priority(&self) -> &'static str {
        self.rule.map_or("NORMAL", |rule| RULES[rule].3)
    }

    /// Returns the reason for the routing, in Rapport's wording.
    pub fn reason(&self) -> String {
        self.rule.map_or_else(|| "No rule matched.".to_owned(), |rule| reason(RULES[rule].0, RULES[rule].1))
    }
}

/// Returns the reason why a rule on a kind matched, in Rapport's wording.
pub fn reason(name: &str, kind: &str) -> String {
    format!("Rule “{name}” matched: kind {kind}.")
}

/// Returns the organization with that index.
pub fn organization(number: u64) -> Organization {
    let made = FOUNDED + number * 60_000;
    let ids = |table: u64, each: u64, count: u64| -> Vec<Uuid> {
        (0..count).map(|place| id(table, number * each + place, made + place + 1)).collect()
    };
    let points = ids(3, POINTS, POINTS).into_iter().enumerate().map(|(place, point)| {
        let place = place as u64;
        let expectation = |nth: u64| Expectation {
            id: id(4, (number * POINTS + place) * EXPECTATIONS + nth, made + place + 2),
            kind: ["WANT", "NEED", "BENEFIT"][((place + nth) % 3) as usize],
            statement: format!(
                "Answer {nth} of point {place} comes {}in the words of the customer",
                "soon and ".repeat(4)
            ),
            importance: (1 + mix(place * 31 + nth) % 7) as i64,
            rank: nth as i64 + 1,
        };
        Point {
            id: point,
            kind: POINT_KINDS[(place % 6) as usize],
            name: format!("Point {place} of organization {number}"),
            description: format!("What happens at point {place}: {}", "the customer asks, we answer, ".repeat(3)),
            expectations: (0..EXPECTATIONS).map(expectation).collect(),
        }
    });
    Organization {
        number,
        id: id(1, number, made),
        slug: format!("bench-{number:03}"),
        made: made as i64,
        departments: ids(2, DEPARTMENTS, DEPARTMENTS),
        mediums: ids(5, MEDIUMS, MEDIUMS),
        points: points.collect(),
        rules: ids(6, RULES.len() as u64, RULES.len() as u64),
        customers: ids(10, CUSTOMERS, CUSTOMERS),
        offers: ids(11, OFFERS, OFFERS),
        playbooks: if number < PLAYED { Vec::new() } else { ids(16, PLAYBOOKS, PLAYBOOKS) },
        records: if number == 0 { LARGE } else { SMALL },
    }
}

/// Returns all organizations.
pub fn organizations() -> Vec<Organization> {
    (0..ORGANIZATIONS).map(organization).collect()
}

/// Returns all feedback records in order of arrival, with those of all organizations interleaved.
pub fn records(organizations: &[Organization]) -> impl Iterator<Item = Record> + '_ {
    let small = ORGANIZATIONS - 1;
    (0..LARGE).flat_map(move |place| {
        let large = record(organizations, 0, place, BEGAN + place * STEP);
        let other = (place < small * SMALL)
            .then(|| record(organizations, 1 + (place % small) as usize, place / small, BEGAN + place * STEP + 10_007));
        [Some(large), other].into_iter().flatten()
    })
}

fn record(organizations: &[Organization], organization: usize, place: u64, at: u64) -> Record {
    let owner = &organizations[organization];
    let random = mix((organization as u64) << 32 | place);
    let pick = |shift: u32, count: u64| ((random >> shift) & 0xffff) % count;
    let kind = KINDS[pick(0, 6) as usize];
    // Scores are binary fractions, so that sums are exact in any order. One record in sixteen has no score.
    let score = ((random >> 16) & 15 != 0).then(|| (((random >> 20) & 1023) as f64 - 512.0) / 512.0);
    Record {
        organization,
        id: id(7, (organization as u64) << 32 | place, at),
        routing: id(8, (organization as u64) << 32 | place, at),
        event: id(9, (organization as u64) << 32 | place, at),
        sequence: place as i64 + 1,
        at: at as i64,
        kind,
        score,
        body: body(random),
        nps: (kind == "SURVEY").then(|| pick(30, 11) as i64),
        product: PRODUCTS.get(pick(8, 10) as usize).copied(),
        point: owner.points[pick(32, POINTS) as usize].id,
        medium: owner.mediums[pick(40, MEDIUMS) as usize],
        customer: has_timeline(owner).then_some(owner.customers[0]).filter(|_| place.is_multiple_of(EVERY)),
        rule: RULES.iter().position(|rule| rule.1 == kind),
    }
}

/// Returns whether the first customer of the organization has a long timeline.
const fn has_timeline(organization: &Organization) -> bool {
    organization.number >= 1 && organization.number <= TIMELINES
}

/// An interaction or a purchase on a long timeline.
pub struct Entry<'a> {
    pub organization: &'a Organization,
    pub id: Uuid,
    pub at: i64,
    pub text: String,
    pub point: Uuid,
    pub medium: Uuid,
    pub product: &'static str,
}

/// Returns the interactions on all long timelines.
pub fn interactions(organizations: &[Organization]) -> impl Iterator<Item = Entry<'_>> {
    entries(organizations, 12, INTERACTIONS)
}

/// Returns the purchases on all long timelines.
pub fn purchases(organizations: &[Organization]) -> impl Iterator<Item = Entry<'_>> {
    entries(organizations, 13, PURCHASES)
}

/// Returns rows of a table, spread over the same year as feedback records.
fn entries(organizations: &[Organization], table: u64, count: u64) -> impl Iterator<Item = Entry<'_>> {
    let of = move |organization| (0..count).map(move |place| entry(organization, table, place, LARGE * STEP / count));
    organizations.iter().filter(|organization| has_timeline(organization)).flat_map(of)
}

fn entry(organization: &Organization, table: u64, place: u64, step: u64) -> Entry<'_> {
    let (number, at) = (organization.number << 32 | place, BEGAN + place * step + table);
    let random = mix(table << 48 | number);
    Entry {
        organization,
        id: id(table, number, at),
        at: at as i64,
        text: body(random),
        point: organization.points[(random % POINTS) as usize].id,
        medium: organization.mediums[((random >> 8) % MEDIUMS) as usize],
        product: PRODUCTS[((random >> 16) % 8) as usize],
    }
}

/// A case or a follow-up of the busy department.
pub struct Work<'a> {
    pub organization: &'a Organization,
    pub id: Uuid,
    pub at: i64,
    pub is_open: bool,
    pub due: i64,
}

/// Returns the cases of the busy department.
pub fn cases(organizations: &[Organization]) -> impl Iterator<Item = Work<'_>> {
    let busy = &organizations[BUSY as usize];
    (0..CASES + CASES / 10).map(move |place| Work { is_open: place < CASES, ..work(busy, 14, place) })
}

/// Returns the follow-ups of the busy department.
pub fn follow_ups(organizations: &[Organization]) -> impl Iterator<Item = Work<'_>> {
    let busy = &organizations[BUSY as usize];
    (0..CASES / 10).map(move |place| work(busy, 15, place))
}

fn work(organization: &Organization, table: u64, place: u64) -> Work<'_> {
    let (number, at) = (organization.number << 32 | place, BEGAN + place * 60_000);
    let due = BEGAN + mix(table << 48 | number) % (LARGE * STEP);
    Work { organization, id: id(table, number, at), at: at as i64, is_open: true, due: due as i64 }
}

/// The filter of the playbooks, with the scopes of whoever saved it, as Rapport stores it.
pub const SALES: &str = "record:read\n{\"purpose\":{\"eq\":\"SELL\"}}";

/// Returns two words that some bodies have, taken from the body of that number.
pub fn two_words(random: u64) -> String {
    format!("{:x} {:x}", random & 0xff, (random >> 8) & 0xff)
}

/// Returns a text of about 200 characters, similar to what customers write.
pub fn body(random: u64) -> String {
    format!(
        "I called on {:x} about order {:016x} and was told \"it is on its way\", then on {:x} that it was not; the second \
         person knew more than the first. What I want is {:08x}, soon. Reference {:016x}.",
        random & 0xff,
        mix(random),
        (random >> 8) & 0xff,
        (random >> 16) & 0xffff_ffff,
        mix(random ^ 1)
    )
}

/// The changed fields in the creation event of a record, in Rapport's order.
pub const EVENT_FIELDS: &str = r#"["kind","sentiment","sentimentScore","body","receivedAt","product","tags","attributes","point","medium","department","priority"]"#;
