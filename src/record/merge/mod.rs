//! Merges of two customers, or of two accounts, that are one.

mod values;

use entity::{
    Noun, Permission, account, contact_point, customer,
    id::{AccountId, CustomerId, NounId},
    personal::{ERASED_AT, PERSON},
};
use sea_orm::prelude::{ChronoUnixTimestampMillis, Uuid};

use self::values::{filled, new_parent, placed};
use super::{
    contact_point::{divide, unite},
    testimonial::withdraw_as_one,
};
use crate::{
    Error, Result, UserError,
    error::Code,
    graphql::{
        slice::{Computed, Done, Mutation, Report},
        typed::{
            fields::{ByRow, ComputedFn, MutationFn},
            input::{Input, RefTo},
            output::{Output, instant},
        },
    },
    store::{
        Scope, Tx,
        merging::{merge::Merging, state::Merge, undo::Undoing},
        statement::cell::Record,
        writing::draft::{Outcome, Reference},
    },
};

/// Maximum number of external ids that a row can have after a merge.
const MAX_EXTERNAL_IDS: usize = 1_000;
/// Maximum number of rows that can be merged into one.
const MAX_MERGES: usize = 1_000;

/// Mutations of customers.
pub const OF_CUSTOMERS: [Mutation; 2] = [
    Mutation {
        name: "customerMerge",
        doc: "Merges a customer into another one: two rows that are one person. The id of the loser stands for the \
              winner as soon as this mutation returns, in every query and input, and its external ids are the \
              winner's. Up to 200 rows that refer to the loser are moved at once, more in the background: \
              `merges { doneAt }` says when; until then, lists, counts, groups and filters of the winner lack what has \
              not moved. Values that the winner lacks are taken from the loser, tags and interests of both are united. \
              A referral of one by the other stays with its referrer, and its `referred` becomes null: nobody refers \
              themselves. Fails with ERASED if one of them was erased, with INVALID if both are the same row, with \
              CONFLICT if the loser was merged into another one or if one of them has a merge in progress that must \
              end first, with TOO_LONG if the winner would have more than 1,000 external ids.",
        permissions: &[Permission::CustomersWrite, Permission::RecordRead, Permission::RecordWrite],
        run: &MutationFn::new(|tx, input| Box::pin(merge_customers(tx, input))),
    },
    Mutation {
        name: "customerUnmerge",
        doc: "Undoes a merge: the loser exists again with its values and external ids, and gets back what the merge \
              moved and nobody has moved since; more than 200 rows in the background. The winner loses the values that \
              it got from the loser, unless they have changed since. Returns the loser. Fails with NOT_FOUND if the \
              id is not that of a merged customer, with CONFLICT while the merge is in progress or if the winner was \
              merged into another one since: undo that first; with ERASED if the winner was erased.",
        permissions: &[Permission::CustomersWrite, Permission::RecordRead, Permission::RecordWrite],
        run: &MutationFn::new(|tx, input| Box::pin(unmerge_customer(tx, input))),
    },
];

/// Mutations of accounts.
pub const OF_ACCOUNTS: [Mutation; 2] = [
    Mutation {
        name: "accountMerge",
        doc: "Merges an account into another one: two rows that are one company. Like customerMerge. The accounts below \
              the loser belong to the winner afterwards; a winner that is below the loser takes its place in the tree.",
        permissions: &[Permission::CustomersWrite, Permission::RecordRead, Permission::RecordWrite],
        run: &MutationFn::new(|tx, input| Box::pin(merge_accounts(tx, input))),
    },
    Mutation {
        name: "accountUnmerge",
        doc: "Undoes a merge of accounts. Like customerUnmerge.",
        permissions: &[Permission::CustomersWrite, Permission::RecordRead, Permission::RecordWrite],
        run: &MutationFn::new(|tx, input| Box::pin(unmerge_account(tx, input))),
    },
];

/// The computed field `merges` of both.
pub const MERGES: Computed = Computed {
    name: "merges",
    doc: "Merges by which other rows became this one, oldest first.",
    run: &ComputedFn::new(|scope, (), ids| Box::pin(merges(scope, ids))),
};

/// The payload list `mergeMoves`.
pub const REPORT: Report =
    Report::of::<MergeMove>("mergeMoves", "Rows that a merge would move, in a dry run. Empty otherwise.");

/// Number of rows that a merge would change by one of their relations.
#[derive(Output)]
#[output(read = RecordRead)]
struct MergeMove {
    /// The type of the rows, for example `Interaction`.
    r#type: String,
    /// Their relation, for example `customer`.
    relation: String,
    /// Number of rows, at least 1.
    row_count: i64,
    /// Number of these rows whose relation becomes null: `referred` of a referral of one by the other.
    emptied_count: i64,
}

/// A merge of another row into this one.
#[derive(Output)]
#[output(read = RecordRead)]
struct RowMerge {
    /// Id of the row that was merged. It stands for this row.
    #[output(row_of = "row_type")]
    loser_id: Uuid,
    /// Type of the rows: `Customer` or `Account`.
    row_type: String,
    /// When it was merged, UTC.
    merged_at: ChronoUnixTimestampMillis,
    /// Number of rows moved so far.
    moved_count: i64,
    /// When all rows had moved, UTC; null while the merge is in progress.
    done_at: Option<ChronoUnixTimestampMillis>,
}

async fn merges(scope: &Scope, ids: &[Uuid]) -> Result<ByRow<Vec<RowMerge>>> {
    let mut by_row: ByRow<Vec<RowMerge>> = ByRow::new();
    let merges: Vec<_> = scope.merges_into(ids).await?.into_iter().filter(|merge| merge.undone_at.is_none()).collect();
    if !merges.is_empty() {
        // The rows of all departments are counted.
        scope.require_whole_organization()?;
    }
    for merge in merges {
        by_row.entry(merge.target).or_default().push(RowMerge {
            loser_id: merge.loser,
            row_type: merge.noun.name.to_owned(),
            merged_at: instant(merge.merged_at),
            moved_count: merge.moved,
            done_at: merge.done_at.map(instant),
        });
    }
    Ok(by_row)
}

/// Which customers to merge.
#[derive(Input)]
struct CustomerMerge {
    /// The customer that remains.
    winner: RefTo<CustomerId>,
    /// The customer that is merged into it.
    loser: RefTo<CustomerId>,
    /// Version of the winner that the caller expects.
    expected_version: Option<i64>,
    /// Whether to make a dry run: `mergeMoves` reports what would be moved, and nothing changes.
    #[input(default)]
    dry_run: bool,
}

/// Which accounts to merge.
#[derive(Input)]
struct AccountMerge {
    /// The account that remains.
    winner: RefTo<AccountId>,
    /// The account that is merged into it.
    loser: RefTo<AccountId>,
    /// Version of the winner that the caller expects.
    expected_version: Option<i64>,
    /// Whether to make a dry run: `mergeMoves` reports what would be moved, and nothing changes.
    #[input(default)]
    dry_run: bool,
}

/// Which merge of customers to undo.
#[derive(Input)]
struct CustomerUnmerge {
    /// The id that the merged customer had. External ids name the winner.
    loser: RefTo<CustomerId>,
}

/// Which merge of accounts to undo.
#[derive(Input)]
struct AccountUnmerge {
    /// The id that the merged account had. External ids name the winner.
    loser: RefTo<AccountId>,
}

async fn merge_customers(tx: &Tx, input: &CustomerMerge) -> Result<Done> {
    let wanted = Wanted::of(&input.winner, &input.loser, input.expected_version, input.dry_run);
    merge(tx, &wanted).await
}

async fn merge_accounts(tx: &Tx, input: &AccountMerge) -> Result<Done> {
    let wanted = Wanted::of(&input.winner, &input.loser, input.expected_version, input.dry_run);
    merge(tx, &wanted).await
}

async fn unmerge_customer(tx: &Tx, input: &CustomerUnmerge) -> Result<Done> {
    unmerge(tx, &customer::NOUN, &input.loser.reference).await
}

async fn unmerge_account(tx: &Tx, input: &AccountUnmerge) -> Result<Done> {
    unmerge(tx, &account::NOUN, &input.loser.reference).await
}

/// What a caller wants to merge.
struct Wanted<'a> {
    noun: &'static Noun,
    winner: &'a Reference,
    loser: &'a Reference,
    expected_version: Option<i64>,
    dry_run: bool,
}

impl<'a> Wanted<'a> {
    fn of<T: NounId>(winner: &'a RefTo<T>, loser: &'a RefTo<T>, expected_version: Option<i64>, dry_run: bool) -> Self {
        Self { noun: T::NOUN, winner: &winner.reference, loser: &loser.reference, expected_version, dry_run }
    }
}

fn refused(code: Code, field: &str, message: impl Into<String>) -> Done {
    Err(vec![UserError::new(code, field, message)])
}

async fn merge(tx: &Tx, wanted: &Wanted<'_>) -> Result<Done> {
    let noun = wanted.noun;
    // Merges wait for each other, so that of two at once the second sees what the first did.
    tx.lock_organization().await?;
    let found = tx.references(noun, [wanted.winner, wanted.loser].into_iter()).await?;
    let (winner, loser) = (found.get(wanted.winner).copied(), found.get(wanted.loser).copied());
    for (id, reference, field) in [(winner, wanted.winner, "winner"), (loser, wanted.loser, "loser")] {
        if id.is_none() {
            return missing(tx, noun, reference, field).await;
        }
    }
    let (Some(winner), Some(loser)) = (winner, loser) else { return Err(Error::internal("both were found")) };
    let is_merged = matches!(wanted.loser, Reference::Id(Some(id)) if *id != loser);
    if winner == loser {
        if is_merged && wanted.winner != wanted.loser {
            return Ok(Ok((winner, Outcome::Unchanged)));
        }
        return Ok(refused(Code::Invalid, "loser", format!("the winner and the loser are the same {}", noun.name)));
    }
    if is_merged {
        let into = entity::id::encode(noun.prefix, loser);
        return Ok(refused(Code::Conflict, "loser", format!("this {} was merged into {into}", noun.name)));
    }
    let mut rows = tx.lock(noun, &[winner, loser]).await?;
    // One that was found but is not there was deleted in between.
    let (Some(winner), Some(loser)) = (rows.remove(&winner), rows.remove(&loser)) else {
        return Err(Error::Collision);
    };
    if wanted.expected_version.is_some_and(|expected| expected != winner.version()) {
        let message = format!("version conflict: the row is at version {}", winner.version());
        return Ok(refused(Code::Conflict, "expectedVersion", message));
    }
    for (record, field) in [(&winner, "winner"), (&loser, "loser")] {
        if noun.table == PERSON.table && !record.cell(ERASED_AT).is_null() {
            return Ok(refused(Code::Erased, field, "this customer was erased"));
        }
    }
    if let Some(mistake) = in_the_way(tx, noun, &winner, &loser).await? {
        return Ok(Err(vec![mistake]));
    }
    if wanted.dry_run {
        tx.set_dry_run();
        let counts = tx.reference_counts(noun, (winner.id(), loser.id())).await?;
        let rows = counts.into_iter().map(|count| MergeMove {
            r#type: count.reference.noun.name.to_owned(),
            relation: count.reference.relation.name.to_owned(),
            row_count: count.rows,
            emptied_count: count.emptied,
        });
        tx.add_report(REPORT.name, rows.map(|row| row.object().cells).collect());
        return Ok(Ok((winner.id(), Outcome::Updated)));
    }
    let id = winner.id();
    let mut merging = Merging { changes: filled(noun, &winner, &loser), winner, loser, first: None, kept: Vec::new() };
    if noun.table == customer::NOUN.table {
        withdraw_as_one(tx, &[merging.winner.id(), merging.loser.id()]).await?;
        let united = unite(tx, &merging.winner, &merging.loser).await?;
        merging.changes.extend(united.changes);
        merging.first = Some((&contact_point::NOUN, united.moving));
        merging.kept = united.primary;
    } else {
        let parent = new_parent(tx, &merging.winner, &merging.loser).await?;
        merging.changes.extend(parent.map(|parent| (account::PARENT_ID.into(), parent)));
    }
    tx.merge(noun, merging).await?;
    Ok(Ok((id, Outcome::Updated)))
}

/// Returns the answer for a row that was not found: ERASED if its external id is that of an erased person.
async fn missing(tx: &Tx, noun: &'static Noun, reference: &Reference, field: &str) -> Result<Done> {
    if let (Reference::External(key), true) = (reference, noun.table == PERSON.table)
        && !tx.erased_keys(noun, vec![key.clone()]).await?.is_empty()
    {
        return Ok(refused(Code::Erased, field, "the customer with this external id was erased"));
    }
    Ok(refused(Code::NotFound, field, format!("no such {}", noun.name)))
}

/// Returns why two rows cannot be merged now.
async fn in_the_way(tx: &Tx, noun: &'static Noun, winner: &Record, loser: &Record) -> Result<Option<UserError>> {
    let rows = [winner.id(), loser.id()];
    let mut merges = tx.merges_into(&rows).await?;
    merges.extend(tx.merge_of(winner.id()).await?);
    merges.extend(tx.merge_of(loser.id()).await?);
    // Rows that are on their way to the winner may arrive meanwhile.
    let waits = |merge: &Merge| merge.is_running() && (merge.target == loser.id() || merge.undone_at.is_some());
    if merges.iter().any(waits) {
        let message = "a merge or an undone merge of one of them is in progress; try again when it is done";
        return Ok(Some(UserError::new(Code::Conflict, "loser", message)));
    }
    if merges.len() >= MAX_MERGES {
        let message = format!("more than {MAX_MERGES} rows would be merged into one");
        return Ok(Some(UserError::new(Code::TooLong, "loser", message)));
    }
    let keys = tx.external_ids(noun, &rows).await?;
    if keys.values().map(Vec::len).sum::<usize>() > MAX_EXTERNAL_IDS {
        let message = format!("the winner would have more than {MAX_EXTERNAL_IDS} external ids");
        return Ok(Some(UserError::new(Code::TooLong, "loser", message)));
    }
    Ok(None)
}

async fn unmerge(tx: &Tx, noun: &'static Noun, reference: &Reference) -> Result<Done> {
    tx.lock_organization().await?;
    let merge = match reference {
        Reference::Id(Some(id)) => tx.merge_of(*id).await?,
        Reference::Id(None) | Reference::External(_) => None,
    };
    let Some(merge) = merge.filter(|merge| merge.noun.table == noun.table && merge.undone_at.is_none()) else {
        return Ok(refused(Code::NotFound, "loser", format!("no {} with this id was merged", noun.name)));
    };
    if merge.done_at.is_none() {
        return Ok(refused(Code::Conflict, "loser", "the merge is in progress; try again when it is done"));
    }
    if merge.target != merge.winner {
        let message = "the winner was merged into another row since: undo that merge first";
        return Ok(refused(Code::Conflict, "loser", message));
    }
    let Some(winner) = tx.lock(noun, &[merge.winner]).await?.remove(&merge.winner) else {
        return Err(Error::Collision);
    };
    let is_erased = noun.table == PERSON.table && !winner.cell(ERASED_AT).is_null();
    if is_erased || !merge.is_kept() {
        return Ok(refused(Code::Erased, "loser", "this customer was erased"));
    }
    let id = merge.loser;
    let mut undoing = Undoing { merge, changes: Vec::new(), staying: None, first: None };
    if noun.table == customer::NOUN.table {
        let divided = divide(tx, &undoing.merge, &winner).await?;
        undoing.changes = divided.changes;
        undoing.staying = Some((&contact_point::NOUN, divided.staying));
        undoing.first = Some((&contact_point::NOUN, divided.returning));
        tx.undo_merge(undoing).await?;
        divided.primary.show(tx).await?;
    } else {
        undoing.changes = placed(tx, &undoing.merge).await?;
        tx.undo_merge(undoing).await?;
    }
    Ok(Ok((id, Outcome::Created)))
}
