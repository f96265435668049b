//! Builds drawings of journeys from the rows that were read.

use std::collections::HashMap;

use entity::{
    Col, expectation,
    id::{self, JourneyId, StepId},
    influencer, interaction_point, journey, medium,
    noun::{Noun, StringEnum},
    stage, step, step_link,
};
use sea_orm::prelude::Uuid;

use super::model::{Drawing, Influence, Stage, Step, StepLink};
use crate::store::{
    statement::cell::Record,
    writing::aggregate::{JoinedRow, LoadedAggregate},
};

/// Returns the drawing of each loaded journey, with the id of the journey.
pub(super) fn drawings(loaded: &LoadedAggregate) -> Vec<(Uuid, Drawing)> {
    let points: HashMap<Uuid, &Record> = by_id(loaded, &interaction_point::NOUN);
    let (mediums, influencers) = (by_id(loaded, &medium::NOUN), by_id(loaded, &influencer::NOUN));
    let (over, moved_by) = (lines(loaded, "mediums"), lines(loaded, "influencers"));
    let mut ranked: HashMap<Uuid, Vec<(i64, String)>> = HashMap::new();
    for record in loaded.of(&expectation::NOUN) {
        if let (Some(rank), Some(point)) = (record.get(expectation::RANK), record.get(expectation::POINT_ID)) {
            ranked.entry(point.0).or_default().push((rank, shown(record, expectation::STATEMENT)));
        }
    }
    for list in ranked.values_mut() {
        list.sort_unstable();
    }
    let drawn_step = |record: &&Record, stages: &HashMap<Uuid, usize>| {
        let point = record.get(step::POINT_ID).map(Uuid::from).unwrap_or_default();
        let own_point = points.get(&point);
        let label = record.get(step::LABEL).filter(|label| !label.is_empty());
        let over = over.get(&point).into_iter().flatten();
        let mut over: Vec<String> = over.filter_map(|line| Some(shown(mediums.get(&line.to)?, medium::NAME))).collect();
        over.sort_unstable();
        let moved_by = moved_by.get(&point).into_iter().flatten();
        let mut moved_by: Vec<Influence> = moved_by
            .filter_map(|line| {
                let strength = line.values.first().and_then(|(_, strength)| strength.int()).unwrap_or(1);
                Some(Influence { name: shown(influencers.get(&line.to)?, influencer::NAME), strength })
            })
            .collect();
        moved_by.sort_by(|one, other| (other.strength, &one.name).cmp(&(one.strength, &other.name)));
        Step {
            id: id::encode(step::NOUN.prefix, record.id()),
            name: label.or_else(|| own_point?.get(interaction_point::NAME)).unwrap_or_default(),
            kind: own_point
                .and_then(|point| point.get(interaction_point::KIND))
                .map_or("", StringEnum::name)
                .to_owned(),
            stage: record.get(step::STAGE_ID).and_then(|stage| stages.get(&stage.0).copied()),
            influencers: moved_by,
            mediums: over,
            expectations: ranked.get(&point).into_iter().flatten().map(|(_, text)| text.clone()).collect(),
        }
    };
    let (stages, steps) = (
        parts(loaded, stage::JOURNEY_ID, Some(stage::POSITION)),
        parts(loaded, step::JOURNEY_ID, Some(step::POSITION)),
    );
    let links = parts(loaded, step_link::JOURNEY_ID, None);
    let drawing = |record: &Record| {
        let optional = |column: Col<Option<String>>| record.get(column).filter(|text| !text.is_empty());

        let (stages, steps) = (own(&stages, record), own(&steps, record));
        let place = |records: &[&Record]| -> HashMap<Uuid, usize> {
            records.iter().enumerate().map(|(place, record)| (record.id(), place)).collect()
        };
        let (stage_places, step_places) = (place(stages), place(steps));
        let link = |record: &&Record| {
            let end = |column: Col<StepId>| record.get(column).and_then(|step| step_places.get(&step.0).copied());
            let kind = record.get(step_link::KIND)?;
            let label = record.get(step_link::LABEL).filter(|label| !label.is_empty());
            Some(StepLink { from: end(step_link::FROM_ID)?, to: end(step_link::TO_ID)?, kind, label })
        };
        let drawing = Drawing {
            id: id::encode(journey::NOUN.prefix, record.id()),
            title: shown(record, journey::TITLE),
            summary: optional(journey::SUMMARY),
            customer_segment: optional(journey::CUSTOMER_SEGMENT),
            stages: stages
                .iter()
                .map(|stage| Stage { id: id::encode(stage::NOUN.prefix, stage.id()), name: shown(stage, stage::NAME) })
                .collect(),
            steps: steps.iter().map(|step| drawn_step(step, &stage_places)).collect(),
            links: own(&links, record).iter().filter_map(link).collect(),
        };
        (record.id(), drawing)
    };
    loaded.of(&journey::NOUN).iter().map(drawing).collect()
}

fn by_id<'a>(loaded: &'a LoadedAggregate, noun: &Noun) -> HashMap<Uuid, &'a Record> {
    loaded.of(noun).iter().map(|record| (record.id(), record)).collect()
}

/// Returns the child rows of each journey, sorted by position, if they have one, and then by id, which is by age.
fn parts(loaded: &LoadedAggregate, journey: Col<JourneyId>, position: Option<Col<i64>>) -> HashMap<Uuid, Vec<&Record>> {
    let mut parts: HashMap<Uuid, Vec<&Record>> = HashMap::new();
    for record in loaded.of(journey.noun()) {
        parts.entry(record.get(journey).map(Uuid::from).unwrap_or_default()).or_default().push(record);
    }
    for list in parts.values_mut() {
        list.sort_by_key(|record| (position.and_then(|position| record.get(position)), record.id()));
    }
    parts
}

/// Returns the join rows of a relation of interaction points, by the id of the point.
fn lines<'a>(loaded: &'a LoadedAggregate, relation: &str) -> HashMap<Uuid, Vec<&'a JoinedRow>> {
    let mut lines: HashMap<Uuid, Vec<&JoinedRow>> = HashMap::new();
    let known = loaded
        .lines
        .iter()
        .filter(|(noun, known, _)| noun.table == interaction_point::NOUN.table && known.name == relation);
    for line in known.flat_map(|(.., lines)| lines) {
        lines.entry(line.from).or_default().push(line);
    }
    lines
}

fn shown(record: &Record, column: Col<String>) -> String {
    record.get(column).unwrap_or_default()
}

fn own<'a, 'b>(parts: &'b HashMap<Uuid, Vec<&'a Record>>, journey: &Record) -> &'b [&'a Record] {
    parts.get(&journey.id()).map_or(&[], Vec::as_slice)
}
