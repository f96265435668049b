//! Gives cases an assignee, as their department says.

use std::collections::{HashMap, HashSet};

use entity::{
    case::{ASSIGNEE_ID, CaseStage, DEPARTMENT_ID, STAGE, TAGS},
    department::{self, Assignment},
    id::{DepartmentId, MemberId, NounId},
    member,
    noun::StringEnum,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, prelude::Uuid};

use crate::{
    Result,
    store::{
        Tx,
        statement::{
            cell::{Cell, Column},
            filter::{Comparison, Predicate},
            tally::Tally,
        },
        writing::draft::Draft,
    },
};

/// Gives an assignee to new cases, and to those that move to another department, that have none. A case for which no
/// member has time stays without one.
pub(super) async fn assign(tx: &Tx, drafts: &mut [Draft]) -> Result<()> {
    let departments: HashSet<Uuid> = drafts.iter().filter_map(to_assign).map(NounId::uuid).collect();
    if departments.is_empty() {
        return Ok(());
    }
    let departments: Vec<Uuid> = departments.into_iter().collect();
    let columns = (department::ID, department::ASSIGNMENT);
    let mut modes: HashMap<DepartmentId, Assignment> =
        tx.select_by_ids_unchecked(columns, &departments).await?.into_iter().collect();
    modes.retain(|_, mode| *mode != Assignment::Manual);
    if modes.is_empty() {
        return Ok(());
    }
    let mut staff = Staff::read(tx, &modes.keys().map(|id| id.0).collect::<Vec<_>>()).await?;
    for draft in drafts {
        let Some(department) = to_assign(draft) else { continue };
        let Some(mode) = modes.get(&department) else { continue };
        let tags: Vec<String> = draft.get(TAGS).and_then(|tags| serde_json::from_str(&tags).ok()).unwrap_or_default();
        if let Some(member) = staff.take(department, *mode, &tags) {
            draft.set(ASSIGNEE_ID, Some(member));
        }
    }
    Ok(())
}

/// Returns the department whose members a case is to be given to; `None` if it needs nobody.
fn to_assign(draft: &Draft) -> Option<DepartmentId> {
    let department = draft.get(DEPARTMENT_ID)?;
    let before = draft.current.as_ref().and_then(|row| row.get(DEPARTMENT_ID));
    let is_open = draft.get(STAGE).is_none_or(|stage| stage != CaseStage::Closed);
    let is_free = draft.get(ASSIGNEE_ID).is_none() && !draft.gives(ASSIGNEE_ID);
    (draft.errors.is_empty() && is_open && is_free && before != Some(department)).then_some(department)
}

/// A member who can take a case.
#[derive(Debug)]
struct Colleague {
    id: MemberId,
    skills: Vec<String>,
    capacity: Option<i64>,
    open: i64,
    /// When the newest case was given to the member, and of those given by one call which one.
    last: Option<(i64, usize)>,
}

/// The members who can take a case, by department.
#[derive(Debug)]
struct Staff {
    colleagues: HashMap<Uuid, Colleague>,
    by_department: HashMap<DepartmentId, Vec<Uuid>>,
    now: i64,
    given: usize,
}

impl Staff {
    /// Reads the members of departments who are neither archived nor away, and how many open cases they have.
    async fn read(tx: &Tx, departments: &[Uuid]) -> Result<Self> {
        let members = department::NOUN.relation("members").expect("members belong to departments");
        let lines = tx.lines(members, departments).await?;
        let ids: HashSet<MemberId> = lines.iter().map(|line| MemberId(line.to)).collect();
        let active =
            member::Entity::find().filter(member::Column::Id.is_in(ids)).filter(member::Column::ArchivedAt.is_null());
        let now = tx.now().timestamp_millis();
        let is_away = |member: &member::Model| {
            let from = member.away_from_at.is_some_and(|from| from.0.timestamp_millis() <= now);
            from && member.away_until_at.is_none_or(|until| until.0.timestamp_millis() > now)
        };
        let mut present = tx.all_unchecked(active).await?;
        present.retain(|member| !is_away(member));
        let present_ids: Vec<Uuid> = present.iter().map(|member| member.id.0).collect();
        let tallies = tx.tallies(ASSIGNEE_ID, &present_ids, &is_open()).await?;
        let colleague = |member: member::Model| {
            let Tally { count, newest } = tallies.get(&member.id.0).copied().unwrap_or_default();
            let skills = serde_json::from_str(&member.skills).unwrap_or_default();
            let last = newest.map(|at| (at, 0));
            (member.id.0, Colleague { id: member.id, skills, capacity: member.capacity, open: count, last })
        };
        let mut by_department: HashMap<DepartmentId, Vec<Uuid>> = HashMap::new();
        for line in lines {
            by_department.entry(DepartmentId(line.from)).or_default().push(line.to);
        }
        Ok(Self { colleagues: present.into_iter().map(colleague).collect(), by_department, now, given: 0 })
    }

    /// Chooses a member of a department, who then has one open case more.
    fn take(&mut self, department: DepartmentId, mode: Assignment, tags: &[String]) -> Option<MemberId> {
        let members = self.by_department.get(&department)?;
        let with_time = members
            .iter()
            .filter_map(|id| self.colleagues.get(id))
            .filter(|colleague| colleague.capacity.is_none_or(|capacity| colleague.open < capacity));
        let matching = |colleague: &Colleague| colleague.skills.iter().filter(|skill| tags.contains(skill)).count();
        let chosen = match mode {
            Assignment::Manual => None,
            Assignment::RoundRobin => with_time.min_by_key(|colleague| (colleague.last, colleague.id.0)),
            Assignment::LeastOpen => with_time.min_by_key(|colleague| (colleague.open, colleague.last, colleague.id.0)),
            Assignment::Skills => with_time.min_by_key(|colleague| {
                (std::cmp::Reverse(matching(colleague)), colleague.open, colleague.last, colleague.id.0)
            }),
        }?;
        let id = chosen.id;
        self.given += 1;
        let chosen = self.colleagues.get_mut(&id.0)?;
        chosen.open += 1;
        chosen.last = Some((self.now, self.given));
        Some(id)
    }
}

/// The condition that a case is not closed.
fn is_open() -> Predicate {
    let closed = Comparison::Eq(Cell::Text(CaseStage::Closed.name().to_owned()));
    Predicate::Not(Box::new(Predicate::Column(Column::from(STAGE), closed)))
}
