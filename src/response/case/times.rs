//! Times of the stages of cases: each is the first, and they ascend.

use entity::{
    Col,
    case::{
        ACKNOWLEDGED_AT, ASSESSED_AT, CLOSED_AT, COMMUNICATED_AT, CaseStage, ESCALATED_AT, INVESTIGATED_AT,
        RECEIVED_AT, REOPENED_AT, RESPONDED_AT, STAGE, TOLD_AT,
    },
};
use sea_orm::prelude::ChronoUnixTimestampMillis;

use crate::{
    error::Code,
    record::past::{refuse_before, refuse_future},
    store::{Tx, statement::cell::Column, writing::draft::Draft},
};

type Time = Col<Option<ChronoUnixTimestampMillis>>;

/// The times of the stages, in their order.
const TIMES: [(CaseStage, Time); 6] = [
    (CaseStage::Acknowledged, ACKNOWLEDGED_AT),
    (CaseStage::Assessed, ASSESSED_AT),
    (CaseStage::Investigated, INVESTIGATED_AT),
    (CaseStage::Responded, RESPONDED_AT),
    (CaseStage::Communicated, COMMUNICATED_AT),
    (CaseStage::Closed, CLOSED_AT),
];

/// Keeps the times that a case has when it reaches a stage once more.
pub(super) fn keep_first(draft: &mut Draft) {
    if draft.transition.is_none() {
        return;
    }
    for (_, column) in TIMES {
        let first = draft.current.as_ref().and_then(|row| row.get(column));
        if first.is_some() {
            draft.set(column, first);
        }
    }
}

/// Refuses times that a caller gives in the future, out of order, or of a stage that the case has not reached.
pub(super) fn check(tx: &Tx, draft: &mut Draft) {
    refuse_future(tx, draft, TOLD_AT);
    refuse_before(draft, TOLD_AT, RECEIVED_AT);
    if draft.transition.is_some() {
        return;
    }
    refuse_future(tx, draft, RECEIVED_AT);
    refuse_future(tx, draft, REOPENED_AT);
    refuse_future(tx, draft, ESCALATED_AT);
    let stage = draft.get(STAGE).map_or(0, CaseStage::rank);
    let is_straight = draft.get(REOPENED_AT).is_none();
    let mut earlier: Option<Time> = None;
    for (of, column) in TIMES.into_iter().filter(|(_, column)| draft.get(*column).is_some()).collect::<Vec<_>>() {
        refuse_future(tx, draft, column);
        match earlier.filter(|_| is_straight) {
            Some(earlier) => refuse_before(draft, column, earlier),
            None => refuse_before(draft, column, RECEIVED_AT),
        }
        if is_straight && of.rank() > stage && draft.gives(column) {
            let message = "the case has not reached this stage; give its stage, or reopenedAt if it went back";
            draft.refuse(Code::Invalid, Column::from(column).field, message);
        }
        earlier = Some(column);
    }
}
