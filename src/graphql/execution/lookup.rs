//! Executes look-ups of one or several rows by id or external id.

use std::collections::HashSet;

use entity::{Noun, id};
use sea_orm::prelude::Uuid;

use super::{
    load,
    render::Writer,
    root::{FieldExecution, MAX_LOOKUPS},
};
use crate::{
    Error, Result,
    graphql::{
        mutation::input::Input,
        planning::cache::{Planned, Tree},
    },
    store::writing::draft::Reference,
};

impl FieldExecution<'_> {
    pub(super) async fn lookup(&mut self, noun: &'static Noun, input: &Input<'_>) -> Result<()> {
        self.scope.may_read(noun)?;
        let by = input.present("by").ok_or_else(|| Error::BadInput("by must be given".to_owned()))?;
        let reference = Input::reference("by", by, noun)?;
        let planned = self.row(noun)?;
        // A malformed id is handled like an unknown one.
        let id = self.scope.row_id(noun, &reference).await?.unwrap_or_default();
        let rows = load::rows_by_id(self.scope, &planned.given, planned.row()?, &[id]).await?;
        self.writer.row(planned.row()?, &rows, id);
        self.keep(None, &planned);
        Ok(())
    }

    pub(super) async fn lookup_many(&mut self, noun: &'static Noun, input: &Input<'_>) -> Result<()> {
        self.scope.may_read(noun)?;
        let given = input.list("refs");
        if given.len() > MAX_LOOKUPS {
            return Err(Error::BadInput(format!("refs takes at most {MAX_LOOKUPS} references")));
        }
        let references: Vec<Reference> =
            given.into_iter().map(|reference| Input::reference("refs", reference, noun)).collect::<Result<_>>()?;
        let planned = self.row(noun)?;
        let plan = planned.row()?;
        let ids = self.scope.row_ids(noun, &references).await?;
        let wanted: HashSet<Uuid> = ids.iter().flatten().copied().collect();
        let wanted: Vec<Uuid> = wanted.into_iter().collect();
        let rows = load::rows_by_id(self.scope, &planned.given, plan, &wanted).await?;
        self.writer.items(&ids, |writer, id| match id {
            Some(id) => writer.row(plan, &rows, *id),
            None => writer.null(),
        });
        self.keep(None, &planned);
        Ok(())
    }

    pub(super) async fn nodes(&mut self, ids: &[String], is_single: bool) -> Result<()> {
        let nouns: Vec<&'static Noun> = self.api.modules.iter().map(|slice| slice.noun).collect();
        let decoded: Vec<Option<(&'static Noun, Uuid)>> = ids
            .iter()
            .map(|text| {
                let (prefix, id) = id::decode(text)?;
                Some((*nouns.iter().find(|noun| noun.prefix == prefix)?, id))
            })
            .collect();
        let mut found: Vec<(&'static Noun, Planned, load::Rows)> = Vec::new();
        for noun in nouns {
            let wanted: Vec<Uuid> =
                decoded.iter().flatten().filter(|(known, _)| known.table == noun.table).map(|(_, id)| *id).collect();
            if wanted.is_empty() || self.scope.may_read(noun).is_err() {
                continue;
            }
            let planned = self.planned(Some(noun.table), |planner, sets| Ok(Tree::Row(planner.row(noun, sets)?)))?;
            let rows = load::rows_by_id(self.scope, &planned.given, planned.row()?, &wanted).await?;
            self.keep(Some(noun.table), &planned);
            found.push((noun, planned, rows));
        }
        let write = |writer: &mut Writer, wanted: &Option<(&'static Noun, Uuid)>| {
            let known = wanted.and_then(|(noun, id)| {
                let (_, planned, rows) = found.iter().find(|(known, ..)| known.table == noun.table)?;
                Some((planned.row().ok()?, rows, id))
            });
            match known {
                Some((plan, rows, id)) => writer.row(plan, rows, id),
                None => writer.null(),
            }
        };
        if is_single {
            write(&mut self.writer, decoded.first().unwrap_or(&None));
        } else {
            self.writer.items(&decoded, write);
        }
        Ok(())
    }
}
