//! Root fields: finds one by name, plans it, reads its data and writes the response.

use std::collections::HashMap;

use async_graphql::{
    PathSegment, Positioned, ServerError, Value,
    parser::types::{Field as Selected, OperationType, SelectionSet},
};
use entity::{Noun, noun::Operation};
use sea_orm::prelude::Uuid;

use super::{load, render::Writer, subscription::Place};
use crate::{
    Error, Result,
    auth::Actor,
    graphql::{
        documents::result_cost::GROUP,
        failure::server_error,
        mutation::{
            input::Input,
            mutate::{self, MutationField, mutation_fields},
            payload::Payload,
        },
        planning::{
            arguments::Notes,
            cache::{PlanKey, Planned, Tree},
            context::ExecutionContext,
            distinct,
            planner::Planner,
        },
        slice::{Api, Module, Query, Resolved, Subscription},
    },
    store::Scope,
};

/// Maximum number of rows that one field looks up.
pub(super) const MAX_LOOKUPS: usize = 1_000;

/// The kind of a root field.
#[derive(Clone, Copy, Debug)]
pub enum RootField {
    /// A query field.
    Query(QueryField),
    /// A mutation field of a module.
    Mutation(&'static Module, MutationField),
    /// A subscription of a slice.
    Subscription(&'static Subscription),
}

/// The kind of a query field.
#[derive(Clone, Copy, Debug)]
pub enum QueryField {
    /// `x(by)`.
    Lookup(&'static Noun),
    /// `xsBy(refs)`.
    LookupMany(&'static Noun),
    /// `xs`.
    List(&'static Noun),
    /// `node(id)`.
    Node,
    /// `nodes(ids)`.
    Nodes,
    /// A query of a slice.
    Own(&'static Query),
    /// A list of tags, attribute names or attribute values of a noun with counts.
    Distinct(distinct::Query),
}

/// The root fields of an API by name.
#[derive(Debug)]
pub struct RootFields {
    queries: HashMap<String, RootField>,
    mutations: HashMap<String, RootField>,
    subscriptions: HashMap<String, RootField>,
}

impl RootFields {
    /// Returns the root fields of these modules, queries and subscriptions.
    pub fn of(
        modules: &[&'static Module],
        queries: &[&'static Query],
        subscriptions: &[&'static Subscription],
    ) -> Self {
        let mut asks = vec![("node", QueryField::Node), ("nodes", QueryField::Nodes)];
        for slice in modules {
            if slice.noun.offers(Operation::List) {
                asks.extend([
                    (slice.noun.singular, QueryField::Lookup(slice.noun)),
                    (slice.noun.plural, QueryField::List(slice.noun)),
                ]);
            }
        }
        asks.extend(queries.iter().map(|query| (query.name, QueryField::Own(query))));
        let named = asks.into_iter().map(|(name, ask)| (name.to_owned(), ask));
        let listed = modules.iter().map(|slice| slice.noun).filter(|noun| noun.offers(Operation::List));
        let many = listed.map(|noun| (format!("{}By", noun.plural), QueryField::LookupMany(noun)));
        let distinct = modules.iter().flat_map(|slice| distinct::of(slice.noun));
        let distinct = distinct.map(|query| (query.name(), QueryField::Distinct(query)));
        let queries = named.chain(many).chain(distinct).map(|(name, ask)| (name, RootField::Query(ask)));
        let mutations = modules.iter().flat_map(|slice| {
            mutation_fields(slice)
                .into_iter()
                .map(move |(name, mutation_field)| (name, RootField::Mutation(slice, mutation_field)))
        });
        let subscriptions = subscriptions.iter().map(|known| (known.name.to_owned(), RootField::Subscription(known)));
        Self { queries: queries.collect(), mutations: mutations.collect(), subscriptions: subscriptions.collect() }
    }

    /// Returns the root field with this name.
    pub fn get(&self, operation: OperationType, name: &str) -> Option<RootField> {
        let fields = match operation {
            OperationType::Query => &self.queries,
            OperationType::Mutation => &self.mutations,
            OperationType::Subscription => &self.subscriptions,
        };
        fields.get(name).copied()
    }
}

/// The state for the execution of one root field.
pub(super) struct FieldExecution<'a> {
    pub scope: &'a Scope,
    source: ExecutionContext<'a>,
    pub api: &'static Api,
    /// The field, and its index in the operation.
    field: (usize, &'a Selected),
    pub writer: Writer,
}

impl<'a> FieldExecution<'a> {
    fn new(source: ExecutionContext<'a>, api: &'static Api, scope: &'a Scope, field: (usize, &'a Selected)) -> Self {
        Self { scope, source, api, field, writer: Writer::at(&field.1.response_key().node) }
    }

    fn key(&self, noun: Option<&'static str>, document: u64) -> PlanKey {
        let (permissions, is_postgres) = (self.actor().permissions, self.scope.is_postgres());
        PlanKey { document, field: self.field.0, noun, permissions, is_postgres }
    }

    /// Returns the cached plan of the field, or the one that `compile` compiles. `noun` is the table of the noun that
    /// is planned, if the field shows several nouns.
    pub fn planned(
        &self,
        noun: Option<&'static str>,
        compile: impl FnOnce(Planner<'_>, &[&'a SelectionSet]) -> Result<Tree>,
    ) -> Result<Planned> {
        let access = self.scope.attribute_access();
        let known = self
            .source
            .plans
            .and_then(|plans| plans.get(&self.key(noun, plans.document()), |unread| unread.read(self.source, access)));
        if let Some(known) = known {
            return Ok(known);
        }
        let notes = Notes::default();
        let planner = Planner { source: self.source, attribute_access: access, api: self.api, notes: &notes };
        let tree = compile(planner, &[&self.field.1.selection_set.node])?;
        if access.knows_open_attributes() {
            notes.is_for_this_request();
        }
        Ok(Planned::new(tree, notes))
    }

    /// Caches a plan that has run.
    pub fn keep(&self, noun: Option<&'static str>, planned: &Planned) {
        if let Some(plans) = self.source.plans {
            plans.keep(self.key(noun, plans.document()), planned);
        }
    }

    /// Returns the plan of the rows that the field shows.
    pub fn row(&self, noun: &'static Noun) -> Result<Planned> {
        self.planned(None, |planner, sets| Ok(Tree::Row(planner.row(noun, sets)?)))
    }

    /// Returns the arguments of the field, which is one of the root type `parent`.
    pub(super) fn arguments(&self, parent: &str) -> Result<Input<'static>> {
        self.source.arguments(parent, self.field.1)
    }

    fn actor(&self) -> &Actor {
        self.scope.actor()
    }

    async fn ask(&mut self, ask: QueryField) -> Result<()> {
        let (_, field) = self.field;
        let input = self.arguments("Query")?;
        match ask {
            QueryField::Lookup(noun) => self.lookup(noun, &input).await,
            QueryField::LookupMany(noun) => self.lookup_many(noun, &input).await,
            QueryField::List(noun) => {
                self.scope.may_read(noun)?;
                let planned = self.planned(None, |planner, sets| {
                    Ok(Tree::List(planner.list(noun, noun.name, "Query", field, sets, &[])?))
                })?;
                let lists = load::list(self.scope, &planned.given, planned.list()?).await?;
                self.writer.connection(planned.list()?, &lists, Uuid::nil());
                self.keep(None, &planned);
                Ok(())
            }
            QueryField::Node => {
                let id = input.text("id")?.unwrap_or_default().to_owned();
                self.nodes(&[id], true).await
            }
            QueryField::Nodes => {
                let ids: Vec<String> = input
                    .list("ids")
                    .into_iter()
                    .filter_map(|id| crate::graphql::mutation::input::text(id).map(str::to_owned))
                    .collect();
                if ids.len() > MAX_LOOKUPS {
                    return Err(Error::BadInput(format!("nodes takes at most {MAX_LOOKUPS} ids")));
                }
                self.nodes(&ids, false).await
            }
            QueryField::Own(query) => self.own(query, &input).await,
            QueryField::Distinct(query) => self.distinct(query, &input).await,
        }
    }

    async fn own(&mut self, query: &'static Query, input: &Input<'_>) -> Result<()> {
        query.permissions.iter().try_for_each(|permission| self.actor().require(*permission))?;
        let planned = self.row(query.run.answer())?;
        let plan = planned.row()?;
        if let Some(error) = plan.object.refusal().filter(|_| query.run.is_whole()) {
            return Err(error.clone());
        }
        if query.run.arguments().iter().any(|argument| argument.name == "groupBy") {
            self.writer.charge(GROUP);
        }
        let resolved = query.run.run(self.scope, input).await?;
        self.resolved(&planned, resolved).await?;
        self.keep(None, &planned);
        Ok(())
    }

    /// Reads the selected fields of what a query or a subscription has found, and writes them.
    pub(super) async fn resolved(&mut self, planned: &Planned, found: Resolved) -> Result<()> {
        let (plan, given) = (planned.row()?, &planned.given);
        match found {
            Resolved::Row(id) => {
                let rows = load::rows_by_id(self.scope, given, plan, &[id]).await?;
                self.writer.row(plan, &rows, id);
            }
            Resolved::Object(object) => {
                let rows = load::made(self.scope, given, plan, &[&object]).await?;
                self.writer.object(&plan.object, &rows.rows[0], 0, &rows.children);
            }
            Resolved::Nothing => self.writer.null(),
            Resolved::Value(_) => return Err(Error::internal("a root field answers with an object")),
        }
        Ok(())
    }

    /// Returns where the subscription is.
    pub(super) fn place(&self) -> Result<&'a Place> {
        self.source.place.ok_or_else(|| Error::internal("a subscription runs step by step"))
    }

    async fn distinct(&mut self, query: distinct::Query, input: &Input<'_>) -> Result<()> {
        self.scope.may_read(query.noun)?;
        let planned = self.row(query.answer())?;
        let plan = planned.row()?;
        let (object, withheld) = query.run(self.scope, plan, input).await?;
        let rows = load::made(self.scope, &planned.given, plan, &[&object]).await?;
        self.writer.object(&plan.object, &rows.rows[0], 0, &rows.children);
        if let Some(error) = &withheld {
            self.writer.complain(error);
        }
        self.keep(None, &planned);
        Ok(())
    }

    async fn mutate(&mut self, slice: &'static Module, mutation_field: MutationField) -> Result<()> {
        let (_, field) = self.field;
        let input = self.source.input(field)?;
        mutation_field.require(slice.noun, self.actor())?;
        let name = field.name.node.as_str();
        // The payload is planned first, because an invalid selection must fail before the mutation has an effect.
        let is_bulk = mutation_field.is_bulk();
        let planned =
            self.planned(None, |planner, sets| Ok(Tree::Payload(Payload::plan(planner, slice, sets, is_bulk)?)))?;
        let report =
            mutate::run(self.scope, self.source.schema_index, self.api, slice, mutation_field, (name, input)).await?;
        self.writer.charge(report.tenths());
        let answer = (self.scope, &planned.given);
        planned.payload()?.answer(answer, &mut self.writer, slice.noun, &report).await?;
        self.keep(None, &planned);
        Ok(())
    }
}

impl RootField {
    /// Executes the field, given with its index in the operation. Returns its raw JSON value and its errors. A failed root field is null and does not affect
    /// its siblings.
    pub async fn answer(
        self,
        source: ExecutionContext<'_>,
        api: &'static Api,
        scope: &Scope,
        (index, field): (usize, &Positioned<Selected>),
    ) -> (Value, Vec<ServerError>) {
        let answered = async || {
            let mut call = FieldExecution::new(source, api, scope, (index, &field.node));
            match self {
                Self::Query(ask) => call.ask(ask).await?,
                Self::Mutation(slice, mutation_field) => call.mutate(slice, mutation_field).await?,
                Self::Subscription(subscription) => call.step(subscription).await?,
            }
            Ok(call.writer)
        };
        let mut done = answered().await;
        // `NotRead` is returned by planning, before any effect: the open attributes are read only for callers whose
        // access depends on them.
        if let Err(Error::NotRead) = &done {
            done = match scope.read_open_attributes().await {
                Ok(()) => answered().await,
                Err(error) => Err(error),
            };
        }
        match done {
            Ok(writer) => {
                scope.meter().answers(writer.tenths());
                writer.finish()
            }
            Err(error) => {
                let path = vec![PathSegment::Field(field.node.response_key().node.to_string())];
                (Value::Null, vec![ServerError { path, locations: vec![field.pos], ..server_error(error) }])
            }
        }
    }
}
