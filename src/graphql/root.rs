//! The two roots: every field of every slice, found by name, planned, read and rendered.

use std::{borrow::Cow, collections::HashMap, marker::PhantomData};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerError, ServerResult, Value,
    parser::types::{Field as Selected, SelectionSet},
    registry::Registry,
    resolver_utils,
};
use entity::{Noun, id, noun::Operation};
use sea_orm::prelude::Uuid;

use super::{
    failure::server_error,
    input::{Input, arguments},
    load,
    mutate::{self, Verb, verbs},
    payload::Payload,
    plan::{Planner, RowPlan},
    render::Writer,
    slice::{Answer, Query, Slice},
    types,
};
use crate::{
    Error, Result,
    auth::Actor,
    store::{Scope, draft::Reference},
};

/// The slices of an API.
pub trait Slices: Send + Sync + 'static {
    /// All of them.
    const ALL: &'static [&'static Slice];
}

/// What a query field does.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Lookup(&'static Noun),
    List(&'static Noun),
    Node,
    Nodes,
    Own(&'static Query),
}

/// The root of queries.
#[derive(Debug)]
pub struct QueryRoot<S> {
    fields: HashMap<String, Ask>,
    nouns: Vec<&'static Noun>,
    slices: PhantomData<S>,
}

/// The root of mutations.
#[derive(Debug)]
pub struct MutationRoot<S> {
    fields: HashMap<String, (&'static Slice, Verb)>,
    slices: PhantomData<S>,
}

impl<S: Slices> Default for QueryRoot<S> {
    fn default() -> Self {
        let mut fields = HashMap::from([("node".to_owned(), Ask::Node), ("nodes".to_owned(), Ask::Nodes)]);
        for slice in S::ALL {
            if slice.noun.offers(Operation::List) {
                fields.insert(slice.noun.singular.to_owned(), Ask::Lookup(slice.noun));
                fields.insert(slice.noun.plural.to_owned(), Ask::List(slice.noun));
            }
            fields.extend(slice.queries.iter().map(|query| (query.name.to_owned(), Ask::Own(query))));
        }
        Self { fields, nouns: S::ALL.iter().map(|slice| slice.noun).collect(), slices: PhantomData }
    }
}

impl<S: Slices> Default for MutationRoot<S> {
    fn default() -> Self {
        let fields =
            S::ALL.iter().flat_map(|slice| verbs(slice).into_iter().map(move |(name, verb)| (name, (*slice, verb))));
        Self { fields: fields.collect(), slices: PhantomData }
    }
}

/// What one root field needs.
struct Call<'a> {
    scope: &'a Scope,
    planner: Planner<'a>,
    field: &'a Selected,
    input: Input,
    writer: Writer,
}

impl<'a> Call<'a> {
    fn new(ctx: &'a Context<'_>, parent: &str, slices: &'static [&'static Slice]) -> Result<Self> {
        let scope = ctx.data_opt::<Scope>().ok_or(Error::Unauthenticated)?;
        let field = &ctx.item.node;
        let registry = &ctx.schema_env.registry;
        let planner = Planner { env: ctx.query_env, registry, actor: scope.actor(), slices };
        let writer = Writer::at(&field.response_key().node);
        let input = arguments(ctx.query_env, registry, parent, field)?;
        Ok(Self { scope, planner, field, input, writer })
    }

    fn sets(&self) -> [&'a SelectionSet; 1] {
        [&self.field.selection_set.node]
    }

    fn actor(&self) -> &Actor {
        self.scope.actor()
    }

    async fn ask(&mut self, ask: Ask, nouns: &[&'static Noun]) -> Result<()> {
        match ask {
            Ask::Lookup(noun) => self.lookup(noun).await,
            Ask::List(noun) => {
                self.scope.may_read(noun)?;
                let plan = self.planner.list(noun, noun.name, "Query", self.field, &self.sets(), &[])?;
                let lists = load::list(self.scope, &plan).await?;
                self.writer.connection(&plan, &lists, Uuid::nil());
                Ok(())
            }
            Ask::Node => {
                let id = self.input.text("id")?.unwrap_or_default().to_owned();
                self.nodes(&[id], nouns, true).await
            }
            Ask::Nodes => {
                let ids: Vec<String> = self
                    .input
                    .list("ids")
                    .into_iter()
                    .filter_map(|id| super::input::text(id).map(str::to_owned))
                    .collect();
                if ids.len() > 1_000 {
                    return Err(Error::BadInput("nodes takes at most 1,000 ids".to_owned()));
                }
                self.nodes(&ids, nouns, false).await
            }
            Ask::Own(query) => self.own(query).await,
        }
    }

    async fn lookup(&mut self, noun: &'static Noun) -> Result<()> {
        self.scope.may_read(noun)?;
        let by = self.input.present("by").ok_or_else(|| Error::BadInput("by must be given".to_owned()))?;
        let reference = Input::reference("by", by, noun)?;
        let plan = self.planner.row(noun, &self.sets())?;
        let id = match &reference {
            Reference::Id(id) => *id,
            Reference::External(key) => {
                self.scope.by_external_ids(noun, std::slice::from_ref(key)).await?.get(key).copied()
            }
        };
        // An id that cannot be one takes the same way as one that is unknown.
        let id = id.unwrap_or_default();
        let rows = load::rows_by_id(self.scope, &plan, &[id]).await?;
        self.writer.row(&plan, &rows, id);
        Ok(())
    }

    async fn nodes(&mut self, ids: &[String], nouns: &[&'static Noun], is_single: bool) -> Result<()> {
        let decoded: Vec<Option<(&'static Noun, Uuid)>> = ids
            .iter()
            .map(|text| {
                let (prefix, id) = id::decode(text)?;
                Some((*nouns.iter().find(|noun| noun.prefix == prefix)?, id))
            })
            .collect();
        let mut found: Vec<(&'static Noun, RowPlan, load::Rows)> = Vec::new();
        for noun in nouns {
            let wanted: Vec<Uuid> =
                decoded.iter().flatten().filter(|(known, _)| known.table == noun.table).map(|(_, id)| *id).collect();
            if wanted.is_empty() || self.scope.may_read(noun).is_err() {
                continue;
            }
            let plan = self.planner.row(noun, &self.sets())?;
            let rows = load::rows_by_id(self.scope, &plan, &wanted).await?;
            found.push((noun, plan, rows));
        }
        let write = |writer: &mut Writer, wanted: &Option<(&'static Noun, Uuid)>| {
            let known = wanted.and_then(|(noun, id)| {
                found.iter().find(|(known, ..)| known.table == noun.table).map(|(_, plan, rows)| (plan, rows, id))
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

    async fn own(&mut self, query: &'static Query) -> Result<()> {
        query.permissions.iter().try_for_each(|permission| self.actor().require(*permission))?;
        let plan = self.planner.row(query.answer, &self.sets())?;
        match (query.run)(self.scope, &self.input).await? {
            Answer::Row(id) => {
                let rows = load::rows_by_id(self.scope, &plan, &[id]).await?;
                self.writer.row(&plan, &rows, id);
            }
            Answer::Object(object) => {
                let rows = load::made(self.scope, &plan, std::slice::from_ref(&object)).await?;
                self.writer.object(&plan.object, &rows.rows[0], 0, &rows.children);
            }
            Answer::Nothing => self.writer.null(),
            Answer::Value(_) => return Err(Error::internal(format!("{} answers with an object", query.name))),
        }
        Ok(())
    }

    async fn mutate(&mut self, slice: &'static Slice, verb: Verb) -> Result<()> {
        verb.require(slice.noun, self.actor())?;
        let input = self.input.object("input")?.unwrap_or_default();
        let name = self.field.name.node.as_str();
        // Planned first: a selection that cannot be answered must not leave an effect behind.
        let is_bulk = matches!(verb, Verb::Generic(Operation::BulkUpsert));
        let payload = Payload::plan(self.planner, slice, &self.sets(), is_bulk)?;
        let report = mutate::run(self.scope, slice, verb, name, input).await?;
        payload.answer(self.scope, &mut self.writer, slice.noun, &report).await
    }
}

/// A failed root field is null and its siblings stand.
fn settle(ctx: &Context<'_>, done: Result<Writer>) -> Value {
    match done {
        Ok(writer) => {
            let (value, errors) = writer.finish();
            for error in errors {
                ctx.add_error(error);
            }
            value
        }
        Err(error) => {
            let located: ServerError = ctx.set_error_path(server_error(error));
            ctx.add_error(ServerError { locations: vec![ctx.item.pos], ..located });
            Value::Null
        }
    }
}

impl<S: Slices> ContainerType for QueryRoot<S> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let Some(ask) = self.fields.get(ctx.item.node.name.node.as_str()) else { return Ok(None) };
        let done = async {
            let mut call = Call::new(ctx, "Query", S::ALL)?;
            call.ask(*ask, &self.nouns).await?;
            Ok(call.writer)
        };
        Ok(Some(settle(ctx, done.await)))
    }
}

impl<S: Slices> ContainerType for MutationRoot<S> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let Some((slice, verb)) = self.fields.get(ctx.item.node.name.node.as_str()) else { return Ok(None) };
        let done = async {
            let mut call = Call::new(ctx, "Mutation", S::ALL)?;
            call.mutate(slice, *verb).await?;
            Ok(call.writer)
        };
        Ok(Some(settle(ctx, done.await)))
    }
}

impl<S: Slices> OutputType for QueryRoot<S> {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("Query")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        types::register_queries(registry, S::ALL);
        Self::qualified_type_name()
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Selected>) -> ServerResult<Value> {
        resolver_utils::resolve_container(ctx, self).await
    }
}

impl<S: Slices> OutputType for MutationRoot<S> {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("Mutation")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        types::register_mutations(registry, S::ALL);
        Self::qualified_type_name()
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Selected>) -> ServerResult<Value> {
        resolver_utils::resolve_container_serial(ctx, self).await
    }
}

impl<S: Slices> ObjectType for QueryRoot<S> {}
impl<S: Slices> ObjectType for MutationRoot<S> {}
