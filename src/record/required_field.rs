//! What must be recorded of interactions, and which interactions lack it.

use std::collections::{HashMap, HashSet};

use entity::{
    Noun, Permission, assessment,
    id::{InteractionId, NounId},
    interaction::{
        ACCOUNT_ID, CUSTOMER_ID, DEPARTMENT_ID, DIRECTION, DURATION, INFLUENCER_ID, IS_OUR_OBJECTIVE_REACHED,
        IS_THEIR_OBJECTIVE_REACHED, InteractionStatus, LEARNED, MEDIUM_ID, NEXT_STEP, NOUN, OCCURRED_AT, OUR_OBJECTIVE,
        POINT_ID, PURPOSE, RELEVANCE, STAFF_SUBJECT, STAGE, STATUS, SUMMARY, TAUGHT, THEIR_OBJECTIVE, TIMING,
    },
    interaction_point::{self, PointKind},
    noun::{Relationship, StringEnum},
    required_field::{FIELD, POINT_KIND, RecordedField},
};
use sea_orm::{Iterable, prelude::Uuid};

use super::{completed::completed, time_range::TimeRange};
use crate::{
    Error, Result,
    graphql::{
        slice::{Computed, Part, Query},
        typed::{
            fields::{ByRow, ComputedFn, QueryFn},
            input::Input,
            output::Output,
        },
    },
    store::{
        Scope,
        statement::{
            cell::{Cell, Column, Record},
            filter::{Comparison, Predicate},
            template::Templates,
        },
    },
};

/// Maximum number of required fields: every field for every kind of point.
const MAX: usize = 1_000;

/// Computed field of interactions.
pub const MISSING: Part = Part::Computed(
    &NOUN,
    &Computed {
        name: "missingFields",
        doc: "Fields that must be recorded at points of this kind, and are not: see RequiredField. Empty unless the \
              interaction is COMPLETED and has a point.",
        run: &ComputedFn::new(|scope, (), ids| Box::pin(missing(scope, ids))),
    },
);

/// The query `incompleteInteractions`.
pub const INCOMPLETE: Query = Query {
    name: "incompleteInteractions",
    doc: "COMPLETED interactions that lack a field which must be recorded at points of their kind, newest first: see \
          RequiredField. `missingFields` of an interaction names what it lacks.",
    permissions: &[Permission::RecordRead, Permission::MapRead],
    run: &QueryFn::new(|scope, wanted| Box::pin(incomplete(scope, wanted))),
};

/// Which interactions are wanted.
#[derive(Input)]
struct Wanted {
    /// When they took place. Defaults to any time.
    between: Option<TimeRange>,
    /// Maximum number of interactions, 1 to 100.
    #[input(default = 20, range = 1..=100)]
    first: i64,
    /// `endCursor` of the previous page.
    after: Option<String>,
}

/// A field that an interaction lacks.
#[derive(Output)]
#[output(read = RecordRead)]
struct MissingField {
    /// The field.
    field: RecordedField,
}

/// A page of interactions that lack fields.
#[derive(Output)]
#[output(read = RecordRead)]
struct IncompleteInteractions {
    /// The interactions.
    nodes: Vec<IncompleteInteraction>,
    /// Whether there are more: request the page after `endCursor`.
    has_next_page: bool,
    /// Cursor of the end of the page; null if the page is empty.
    end_cursor: Option<String>,
}

/// An interaction that lacks fields.
#[derive(Output)]
#[output(read = RecordRead)]
struct IncompleteInteraction {
    /// The interaction.
    interaction: InteractionId,
}

/// The fields that must be recorded, by kind of point, each in the order of the enum.
struct Requirements(HashMap<PointKind, Vec<RecordedField>>);

impl Requirements {
    async fn read(scope: &Scope) -> Result<Self> {
        let rows: HashSet<(PointKind, RecordedField)> =
            scope.select_all((POINT_KIND, FIELD), MAX).await?.into_iter().collect();
        let fields = |kind| RecordedField::iter().filter(|field| rows.contains(&(kind, *field))).collect();
        let by_kind = PointKind::iter().map(|kind| (kind, fields(kind)));
        Ok(Self(by_kind.filter(|(_, fields): &(_, Vec<_>)| !fields.is_empty()).collect()))
    }

    /// Returns the columns that any kind requires.
    fn columns(&self) -> Vec<Column> {
        let wanted: HashSet<RecordedField> = self.0.values().flatten().copied().collect();
        wanted.into_iter().filter_map(column).collect()
    }

    fn want_assessments(&self) -> bool {
        self.0.values().flatten().any(|field| *field == RecordedField::Assessments)
    }

    /// Returns the condition that a row lacks a field which its point requires.
    fn lacking(&self) -> Result<Predicate> {
        let point = relation(|known| known.is_by(POINT_ID.name()))?;
        let kinds = self.0.iter().map(|(kind, fields)| {
            let is_of_kind = Comparison::Eq(Cell::Text(kind.name().to_owned()));
            let is_of_kind = Predicate::Column(interaction_point::KIND.into(), is_of_kind);
            let lacks = fields.iter().map(|field| lacks(*field)).collect::<Result<_>>()?;
            Ok(Predicate::All(vec![Predicate::Some(point, Box::new(is_of_kind)), Predicate::Any(lacks)]))
        });
        Ok(Predicate::Any(kinds.collect::<Result<_>>()?))
    }
}

/// Returns the column of a field; `None` for fields that are other rows.
fn column(field: RecordedField) -> Option<Column> {
    Some(match field {
        RecordedField::Customer => CUSTOMER_ID.into(),
        RecordedField::Account => ACCOUNT_ID.into(),
        RecordedField::Medium => MEDIUM_ID.into(),
        RecordedField::Influencer => INFLUENCER_ID.into(),
        RecordedField::Department => DEPARTMENT_ID.into(),
        RecordedField::StaffSubject => STAFF_SUBJECT.into(),
        RecordedField::Direction => DIRECTION.into(),
        RecordedField::Purpose => PURPOSE.into(),
        RecordedField::Stage => STAGE.into(),
        RecordedField::Duration => DURATION.into(),
        RecordedField::OurObjective => OUR_OBJECTIVE.into(),
        RecordedField::OurObjectiveReached => IS_OUR_OBJECTIVE_REACHED.into(),
        RecordedField::TheirObjective => THEIR_OBJECTIVE.into(),
        RecordedField::TheirObjectiveReached => IS_THEIR_OBJECTIVE_REACHED.into(),
        RecordedField::Relevance => RELEVANCE.into(),
        RecordedField::Timing => TIMING.into(),
        RecordedField::Learned => LEARNED.into(),
        RecordedField::Taught => TAUGHT.into(),
        RecordedField::Summary => SUMMARY.into(),
        RecordedField::NextStep => NEXT_STEP.into(),
        RecordedField::Assessments => return None,
    })
}

fn lacks(field: RecordedField) -> Result<Predicate> {
    match column(field) {
        Some(column) => Ok(Predicate::Column(column, Comparison::IsNull)),
        None => Ok(Predicate::Not(Box::new(Predicate::Some(assessments()?, Box::new(Predicate::always()))))),
    }
}

fn assessments() -> Result<&'static Relationship> {
    relation(|known| known.target.table == assessment::NOUN.table)
}

fn relation(is_it: impl Fn(&Relationship) -> bool) -> Result<&'static Relationship> {
    let noun: &'static Noun = &NOUN;
    noun.relations.iter().find(|known| is_it(known)).ok_or_else(|| Error::internal("interactions lack a relation"))
}

async fn missing(scope: &Scope, ids: &[Uuid]) -> Result<ByRow<Vec<MissingField>>> {
    let requirements = Requirements::read(scope).await?;
    if requirements.0.is_empty() {
        return Ok(ByRow::new());
    }
    let mut columns = requirements.columns();
    columns.extend::<[Column; 2]>([STATUS.into(), POINT_ID.into()]);
    let mut records = scope.records_unchecked(&NOUN, &columns, ids).await?;
    records.retain(|_, record| record.get(STATUS) == Some(InteractionStatus::Completed));
    let point = |record: &Record| record.get(POINT_ID).map(NounId::uuid);
    let points: HashSet<Uuid> = records.values().filter_map(point).collect();
    let points: Vec<Uuid> = points.into_iter().collect();
    let kinds = scope.select_by_ids_unchecked((interaction_point::ID, interaction_point::KIND), &points).await?;
    let kinds: HashMap<Uuid, PointKind> = kinds.into_iter().map(|(id, kind)| (id.uuid(), kind)).collect();
    let mut assessed = HashMap::new();
    if requirements.want_assessments() {
        assessed = scope.count_children(&Predicate::always(), assessments()?, ids, &Templates::default()).await?;
    }
    let is_missing = |record: &Record, field| match column(field) {
        Some(column) => record.cell(column.name).is_null(),
        None => !assessed.contains_key(&record.id()),
    };
    let missing = records.values().filter_map(|record| {
        let wanted = requirements.0.get(kinds.get(&point(record)?)?)?;
        let lacking = wanted.iter().copied().filter(|field| is_missing(record, *field));
        Some((record.id(), lacking.map(|field| MissingField { field }).collect()))
    });
    Ok(missing.collect())
}

async fn incomplete(scope: &Scope, Wanted { between, first, after }: Wanted) -> Result<IncompleteInteractions> {
    let requirements = Requirements::read(scope).await?;
    let mut filter = completed(between.unwrap_or_default().millis());
    filter.push(requirements.lacking()?);
    let page = scope.newest_ids(Predicate::All(filter), OCCURRED_AT, first, after).await?;
    Ok(IncompleteInteractions {
        nodes: page.ids.into_iter().map(|interaction| IncompleteInteraction { interaction }).collect(),
        has_next_page: page.has_next_page,
        end_cursor: page.end_cursor,
    })
}
