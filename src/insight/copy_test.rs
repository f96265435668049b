//! Copy tests: compares the variants of a message, and lists winners for mediums in which they have not been tried.

use std::collections::{BTreeMap, HashMap, HashSet};

use entity::{Permission, id::MessageVariantId, medium, message, message_variant};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, prelude::Uuid};

use super::{
    copy_types::{
        CopyComparison, CopyTest, CopyTestArguments, CopyTestArm, RecycleArguments, RecycleCandidate,
        RecycleCandidates, UntriedMedium,
    },
    proportion::{CONFIDENCE, Estimate, Proportion},
};
use crate::{
    Error, Result,
    graphql::{
        slice::{Computed, Query},
        typed::{
            fields::{ByRow, ComputedFn, QueryFn},
            output::count,
        },
    },
    store::Scope,
};

/// Definition of the measure, as the API returns it.
const DEFINITION: &str = "Difference of the proportions respondedCount / sentCount of two variants, with Newcombe's \
                          score interval (1998, method 10) made of the two Wilson score intervals.";
/// Maximum number of variants that one query reads.
const MAX_VARIANTS: usize = 100_000;
/// The field `copyTest` of a message.
pub(super) const OF_MESSAGE: Computed = Computed {
    name: "copyTest",
    doc: "Pairwise comparison of its variants within each medium, without archived variants.",
    run: &ComputedFn::new(|scope, input, ids| Box::pin(copy_tests(scope, input, ids))),
};

/// The query `recycleCandidates`.
pub(super) const RECYCLE: Query = Query {
    name: "recycleCandidates",
    doc: "Lists message variants that won in their medium, with the mediums in which the message has not been tried.",
    permissions: &[Permission::MapRead],
    run: &QueryFn::new(|scope, input| Box::pin(recycle(scope, input))),
};

/// The counts of a variant.
#[derive(Clone, Debug)]
struct Variant {
    id: Uuid,
    message: Uuid,
    medium: Uuid,
    sent: i64,
    responded: i64,
    is_archived: bool,
}

impl Variant {
    const fn proportion(&self) -> Option<Proportion> {
        Proportion::new(self.responded, self.sent)
    }

    /// Returns the difference between the proportions of two variants, or `None` if either was not sent to anybody.
    fn minus(&self, other: &Self) -> Option<Estimate> {
        Some(self.proportion()?.minus(other.proportion()?))
    }

    fn beats(&self, other: &Self) -> bool {
        self.minus(other).is_some_and(|difference| difference.lower > 0.0)
    }
}

/// Returns the variants of the given messages, or of all messages, grouped by message, oldest first.
async fn variants(scope: &Scope, messages: Option<&[Uuid]>) -> Result<BTreeMap<Uuid, Vec<Variant>>> {
    use message_variant::{ARCHIVED_AT, ID, MEDIUM_ID, MESSAGE_ID, RESPONDED_COUNT, SENT_COUNT};
    let columns = (ID, MESSAGE_ID, MEDIUM_ID, SENT_COUNT, RESPONDED_COUNT, ARCHIVED_AT);
    let rows = match messages {
        None => scope.select_all(columns, MAX_VARIANTS).await?,
        Some(messages) => scope.select(columns, MESSAGE_ID, messages, MAX_VARIANTS).await?,
    };
    if rows.len() > MAX_VARIANTS {
        return Err(Error::BadInput(format!("there are more than {MAX_VARIANTS} variants; name a message")));
    }
    let mut found: BTreeMap<Uuid, Vec<Variant>> = BTreeMap::new();
    for (id, message, medium, sent, responded, archived_at) in rows {
        found.entry(message.0).or_default().push(Variant {
            id: id.0,
            message: message.0,
            medium: medium.0,
            sent,
            responded,
            is_archived: archived_at.is_some(),
        });
    }
    Ok(found)
}

async fn copy_tests(scope: &Scope, input: CopyTestArguments, messages: &[Uuid]) -> Result<ByRow<CopyTest>> {
    let CopyTestArguments { across_mediums, first } = input;
    let mut found = variants(scope, Some(messages)).await?;
    let mut answers = HashMap::new();
    for message in messages {
        let mut variants = found.remove(message).unwrap_or_default();
        variants.retain(|variant| !variant.is_archived);
        let pairs = || {
            variants.iter().enumerate().flat_map(|(place, one)| {
                let others = variants[place + 1..].iter().filter(|other| across_mediums || other.medium == one.medium);
                others.map(move |other| (one, other))
            })
        };
        let first = usize::try_from(first).unwrap_or_default();
        let copy_test = CopyTest {
            measure: "copy_test".to_owned(),
            measure_version: 1,
            definition: DEFINITION.to_owned(),
            comparison_count: count(pairs().count()),
            confidence: CONFIDENCE,
            comparisons: pairs().take(first).map(|(one, other)| compared(one, other)).collect(),
        };
        answers.insert(*message, copy_test);
    }
    Ok(answers)
}

fn compared(one: &Variant, other: &Variant) -> CopyComparison {
    let difference = one.minus(other);
    let winner = if one.beats(other) {
        Some(one.id)
    } else if other.beats(one) {
        Some(other.id)
    } else {
        None
    };
    CopyComparison {
        is_same_medium: one.medium == other.medium,
        difference: difference.map(|found| found.value),
        lower: difference.map(|found| found.lower),
        upper: difference.map(|found| found.upper),
        one: arm(one),
        other: arm(other),
        winner_id: winner.map(MessageVariantId),
    }
}

fn arm(variant: &Variant) -> CopyTestArm {
    let estimate = variant.proportion().map(Proportion::estimate);
    CopyTestArm {
        sent_count: variant.sent,
        responded_count: variant.responded,
        proportion: estimate.map(|found| found.value),
        lower: estimate.map(|found| found.lower),
        upper: estimate.map(|found| found.upper),
        variant_id: variant.id.into(),
        medium_id: variant.medium.into(),
    }
}

/// Returns the variants that are better than another variant in their medium and worse than none, without archived
/// ones.
fn winners(variants: &[Variant]) -> impl Iterator<Item = &Variant> {
    let running = || variants.iter().filter(|variant| !variant.is_archived);
    running().filter(move |one| {
        let rivals = || running().filter(|other| other.medium == one.medium && other.id != one.id);
        rivals().any(|other| one.beats(other)) && !rivals().any(|other| other.beats(one))
    })
}

async fn recycle(scope: &Scope, input: RecycleArguments) -> Result<RecycleCandidates> {
    let named = match input.message_ref {
        None => None,
        // An unknown message has no variants; the nil id stands for it.
        Some(message) => Some(message.find(scope).await?.map(Uuid::from).unwrap_or_default()),
    };
    let found = variants(scope, named.as_ref().map(std::slice::from_ref)).await?;
    let mediums = open_mediums(scope).await?;
    let mut candidates: Vec<(&Variant, Vec<Uuid>)> = Vec::new();
    for variants in found.values() {
        let tried: HashSet<Uuid> = variants.iter().map(|variant| variant.medium).collect();
        let untried: Vec<Uuid> = mediums.iter().copied().filter(|medium| !tried.contains(medium)).collect();
        if !untried.is_empty() {
            candidates.extend(winners(variants).map(|winner| (winner, untried.clone())));
        }
    }
    let archived = archived(scope, &candidates).await?;
    candidates.retain(|(winner, _)| !archived.contains(&winner.message));
    let candidate_count = count(candidates.len());
    candidates.truncate(usize::try_from(input.first).unwrap_or_default());
    Ok(RecycleCandidates { candidate_count, nodes: candidates.into_iter().filter_map(candidate).collect() })
}

/// Returns the mediums that are neither categories nor archived, sorted by name.
async fn open_mediums(scope: &Scope) -> Result<Vec<Uuid>> {
    let open = medium::Entity::find().filter(medium::Column::ArchivedAt.is_null());
    let open = open.order_by_asc(medium::Column::Name).order_by_asc(medium::Column::Id);
    let mediums = scope.all(open).await?;
    let categories: HashSet<Uuid> =
        mediums.iter().filter_map(|medium| medium.parent_id).map(|parent| parent.0).collect();
    Ok(mediums.into_iter().map(|medium| medium.id.0).filter(|id| !categories.contains(id)).collect())
}

/// Returns the archived messages among those of the candidates.
async fn archived(scope: &Scope, candidates: &[(&Variant, Vec<Uuid>)]) -> Result<HashSet<Uuid>> {
    let mut ids: Vec<Uuid> = candidates.iter().map(|(winner, _)| winner.message).collect();
    ids.dedup();
    let rows = scope.select_by_ids((message::ID, message::ARCHIVED_AT), &ids).await?;
    let known: HashMap<Uuid, bool> = rows.into_iter().map(|(id, archived_at)| (id.0, archived_at.is_none())).collect();
    Ok(ids.into_iter().filter(|id| known.get(id) != Some(&true)).collect())
}

fn candidate((winner, untried): (&Variant, Vec<Uuid>)) -> Option<RecycleCandidate> {
    Some(RecycleCandidate {
        proportion: winner.proportion()?.estimate().value,
        message_id: winner.message.into(),
        winner_id: winner.id.into(),
        medium_id: winner.medium.into(),
        untried: untried.into_iter().map(|medium| UntriedMedium { medium_id: medium.into() }).collect(),
    })
}
