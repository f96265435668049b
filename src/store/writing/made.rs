//! Rows that rules make.

use entity::{Noun, event::EventOperation, id};

use super::{lifecycle::first_state, write::NewRow};
use crate::{
    Result,
    store::{
        Tx,
        statement::cell::{Cell, Record},
    },
};

impl Tx {
    /// Inserts rows that belong to another row's change and have no own events. Omits texts about a person who was
    /// erased.
    pub async fn make(&self, noun: &'static Noun, mut rows: Vec<NewRow>) -> Result<()> {
        self.leave_out_words(noun, &mut rows).await?;
        self.make_all(noun, &rows).await
    }

    /// Inserts rows that a rule makes, with an event for each.
    pub async fn create(&self, noun: &'static Noun, rows: Vec<NewRow>) -> Result<()> {
        let now = Cell::Int(self.now().timestamp_millis());
        let made: Vec<(Record, Vec<&'static str>)> = rows
            .into_iter()
            .map(|values| {
                let fields = values.iter().map(|(column, _)| column.field).collect();
                (Record::made(noun, id::new(), &values, &now), fields)
            })
            .collect();
        let states = made.iter().filter_map(|(row, _)| first_state(noun, row, self.now(), &self.actor().subject));
        let states: Vec<NewRow> = states.collect();
        self.put(noun, made, EventOperation::Created).await?;
        if let Some(lifecycle) = noun.lifecycle().filter(|_| !states.is_empty()) {
            self.make_all(lifecycle.history.target, &states).await?;
        }
        Ok(())
    }

    /// Inserts rows that were already checked not to be about erased people.
    pub(in crate::store) async fn make_all(&self, noun: &'static Noun, rows: &[NewRow]) -> Result<()> {
        let now = Cell::Int(self.now().timestamp_millis());
        let records: Vec<Record> = rows.iter().map(|values| Record::made(noun, id::new(), values, &now)).collect();
        self.insert(noun, &records, false).await
    }
}
