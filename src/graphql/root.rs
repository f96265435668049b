//! The two roots: every field of every slice, found by name, planned, read and rendered.

use std::{borrow::Cow, collections::HashMap, marker::PhantomData};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, PathSegment, Positioned, ServerError,
    ServerResult, Value,
    parser::types::{Field as Selected, SelectionSet},
    registry::Registry,
    resolver_utils,
};
use entity::{Noun, id, noun::Operation};
use sea_orm::prelude::Uuid;

use super::{
    distinct,
    failure::server_error,
    input::Input,
    load,
    mutate::{self, Verb, verbs},
    payload::Payload,
    plan::{Planner, RowPlan},
    render::Writer,
    run::Rehearsal,
    shape::Shape,
    slice::{Answer, Query, Slice},
    source::Source,
    tenths::GROUP,
    types,
};
use crate::{
    Error, Result,
    auth::Actor,
    error::reason::Reason,
    store::{Scope, draft::Reference},
};

/// The slices of an API.
pub trait Slices: Send + Sync + 'static {
    /// All of them.
    const ALL: &'static [&'static Slice];
}

/// What a root field does.
#[derive(Clone, Copy, Debug)]
pub enum Root {
    /// Reads.
    Query(Ask),
    /// Writes.
    Mutation(&'static Slice, Verb),
}

/// What a query field does.
#[derive(Clone, Copy, Debug)]
pub enum Ask {
    /// `x(by)`.
    Lookup(&'static Noun),
    /// `xs`.
    List(&'static Noun),
    /// `node(id)`.
    Node,
    /// `nodes(ids)`.
    Nodes,
    /// One of a slice's own.
    Own(&'static Query),
    /// Names, values or tags of a noun, counted.
    Distinct(distinct::Query),
}

/// The root of queries.
#[derive(Debug)]
pub struct QueryRoot<S> {
    fields: HashMap<String, Root>,
    slices: PhantomData<S>,
}

/// The root of mutations.
#[derive(Debug)]
pub struct MutationRoot<S> {
    fields: HashMap<String, Root>,
    slices: PhantomData<S>,
}

impl<S: Slices> Default for QueryRoot<S> {
    fn default() -> Self {
        let mut asks = vec![("node", Ask::Node), ("nodes", Ask::Nodes)];
        for slice in S::ALL {
            if slice.noun.offers(Operation::List) {
                asks.extend([
                    (slice.noun.singular, Ask::Lookup(slice.noun)),
                    (slice.noun.plural, Ask::List(slice.noun)),
                ]);
            }
            asks.extend(slice.queries.iter().map(|query| (query.name, Ask::Own(query))));
        }
        let distinct = S::ALL.iter().flat_map(|slice| distinct::of(slice.noun));
        let distinct = distinct.map(|query| (query.name(), Root::Query(Ask::Distinct(query))));
        let fields = asks.into_iter().map(|(name, ask)| (name.to_owned(), Root::Query(ask))).chain(distinct);
        Self { fields: fields.collect(), slices: PhantomData }
    }
}

impl<S: Slices> Default for MutationRoot<S> {
    fn default() -> Self {
        let fields = S::ALL
            .iter()
            .flat_map(|slice| verbs(slice).into_iter().map(move |(name, verb)| (name, Root::Mutation(slice, verb))));
        Self { fields: fields.collect(), slices: PhantomData }
    }
}

/// What one root field needs.
struct Call<'a> {
    scope: &'a Scope,
    planner: Planner<'a>,
    field: &'a Selected,
    writer: Writer,
}

impl<'a> Call<'a> {
    fn new(
        source: Source<'a>,
        slices: &'static [&'static Slice],
        scope: Option<&'a Scope>,
        field: &'a Selected,
    ) -> Result<Self> {
        let scope = scope.ok_or(Error::Unauthenticated(Reason::Missing))?;
        let planner = Planner { source, sight: scope.sight(), slices };
        Ok(Self { scope, planner, field, writer: Writer::at(&field.response_key().node) })
    }

    fn sets(&self) -> [&'a SelectionSet; 1] {
        [&self.field.selection_set.node]
    }

    fn actor(&self) -> &Actor {
        self.scope.actor()
    }

    async fn ask(&mut self, ask: Ask) -> Result<()> {
        let input = self.planner.source.arguments("Query", self.field)?;
        match ask {
            Ask::Lookup(noun) => self.lookup(noun, &input).await,
            Ask::List(noun) => {
                self.scope.may_read(noun)?;
                let plan = self.planner.list(noun, noun.name, "Query", self.field, &self.sets(), &[])?;
                let lists = load::list(self.scope, &plan).await?;
                self.writer.connection(&plan, &lists, Uuid::nil());
                Ok(())
            }
            Ask::Node => {
                let id = input.text("id")?.unwrap_or_default().to_owned();
                self.nodes(&[id], true).await
            }
            Ask::Nodes => {
                let ids: Vec<String> =
                    input.list("ids").into_iter().filter_map(|id| super::input::text(id).map(str::to_owned)).collect();
                if ids.len() > 1_000 {
                    return Err(Error::BadInput("nodes takes at most 1,000 ids".to_owned()));
                }
                self.nodes(&ids, false).await
            }
            Ask::Own(query) => self.own(query, &input).await,
            Ask::Distinct(query) => self.distinct(query, &input).await,
        }
    }

    async fn lookup(&mut self, noun: &'static Noun, input: &Input<'_>) -> Result<()> {
        self.scope.may_read(noun)?;
        let by = input.present("by").ok_or_else(|| Error::BadInput("by must be given".to_owned()))?;
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

    async fn nodes(&mut self, ids: &[String], is_single: bool) -> Result<()> {
        let nouns: Vec<&'static Noun> = self.planner.slices.iter().map(|slice| slice.noun).collect();
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

    async fn own(&mut self, query: &'static Query, input: &Input<'_>) -> Result<()> {
        query.permissions.iter().try_for_each(|permission| self.actor().require(*permission))?;
        let plan = self.planner.row(query.answer, &self.sets())?;
        if query.arguments.iter().any(|argument| argument.name == "groupBy") {
            self.writer.charge(GROUP);
        }
        match (query.run)(self.scope, input).await? {
            Answer::Row(id) => {
                let rows = load::rows_by_id(self.scope, &plan, &[id]).await?;
                self.writer.row(&plan, &rows, id);
            }
            Answer::Object(object) => {
                let rows = load::made(self.scope, &plan, &[&object]).await?;
                self.writer.object(&plan.object, &rows.rows[0], 0, &rows.children);
            }
            Answer::Nothing => self.writer.null(),
            Answer::Value(_) => return Err(Error::internal(format!("{} answers with an object", query.name))),
        }
        Ok(())
    }

    async fn distinct(&mut self, query: distinct::Query, input: &Input<'_>) -> Result<()> {
        self.scope.may_read(query.noun)?;
        let plan = self.planner.row(query.answer(), &self.sets())?;
        let (object, withheld) = query.run(self.scope, &plan, input).await?;
        let rows = load::made(self.scope, &plan, &[&object]).await?;
        self.writer.object(&plan.object, &rows.rows[0], 0, &rows.children);
        if let Some(error) = &withheld {
            self.writer.complain(error);
        }
        Ok(())
    }

    async fn mutate(&mut self, slice: &'static Slice, verb: Verb) -> Result<()> {
        let input = self.planner.source.input(self.field)?;
        verb.require(slice.noun, self.actor())?;
        let name = self.field.name.node.as_str();
        // Planned first: a selection that cannot be answered must not leave an effect behind.
        let is_bulk = matches!(verb, Verb::Generic(Operation::BulkUpsert));
        let payload = Payload::plan(self.planner, slice, &self.sets(), is_bulk)?;
        let report = mutate::run(self.scope, slice, verb, name, input).await?;
        self.writer.charge(report.tenths());
        payload.answer(self.scope, &mut self.writer, slice.noun, &report).await
    }
}

impl Root {
    /// Does it: a value that is sent as it is, and what failed. A failed root field is null and its siblings stand.
    pub async fn answer(
        self,
        source: Source<'_>,
        slices: &'static [&'static Slice],
        scope: Option<&Scope>,
        field: &Positioned<Selected>,
    ) -> (Value, Vec<ServerError>) {
        let answered = async || match self {
            Self::Query(ask) => {
                let mut call = Call::new(source, slices, scope, &field.node)?;
                call.ask(ask).await?;
                Ok(call.writer)
            }
            Self::Mutation(slice, verb) => {
                let mut call = Call::new(source, slices, scope, &field.node)?;
                call.mutate(slice, verb).await?;
                Ok(call.writer)
            }
        };
        let mut done = answered().await;
        // Planned before anything was done: which attributes may be shown is read only for who needs to know.
        if let (Err(Error::NotRead), Some(scope)) = (&done, scope) {
            done = match scope.read_open_attributes().await {
                Ok(()) => answered().await,
                Err(error) => Err(error),
            };
        }
        match done {
            Ok(writer) => {
                if let Some(scope) = scope {
                    scope.meter().answers(writer.tenths());
                }
                writer.finish()
            }
            Err(error) => {
                let path = vec![PathSegment::Field(field.node.response_key().node.to_string())];
                (Value::Null, vec![ServerError { path, locations: vec![field.pos], ..server_error(error) }])
            }
        }
    }

    /// Does it where async-graphql asks, or tells what it would do.
    async fn resolve(self, ctx: &Context<'_>, slices: &'static [&'static Slice]) -> Value {
        if let Some(rehearsal) = ctx.data_opt::<Rehearsal>() {
            rehearsal.tell(ctx, slices, self);
            return Value::Null;
        }
        let Some(shape) = ctx.data_opt::<Shape>() else {
            ctx.add_error(server_error(Error::internal("a schema without its shape")));
            return Value::Null;
        };
        let source = Source::executed(ctx.query_env, shape);
        let (value, errors) = self.answer(source, slices, ctx.data_opt::<Scope>(), ctx.item).await;
        for error in errors {
            ctx.add_error(error);
        }
        value
    }
}

impl<S: Slices> ContainerType for QueryRoot<S> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let Some(root) = self.fields.get(ctx.item.node.name.node.as_str()) else { return Ok(None) };
        Ok(Some(root.resolve(ctx, S::ALL).await))
    }
}

impl<S: Slices> ContainerType for MutationRoot<S> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let Some(root) = self.fields.get(ctx.item.node.name.node.as_str()) else { return Ok(None) };
        Ok(Some(root.resolve(ctx, S::ALL).await))
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
