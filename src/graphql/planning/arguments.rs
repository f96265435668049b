//! Arguments of the fields in a plan: fixed by the document, or read again for each request.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use async_graphql::{Positioned, parser::types::Field as Selected};
use async_graphql_value::Value as Literal;
use entity::Noun;

use super::{connection::connection, context::ExecutionContext};
use crate::{
    Error, Result,
    graphql::mutation::input::Input,
    store::{erasure::open_attributes::AttributeAccess, paging::page::PageQuery, statement::template::PlanSize},
};

/// The arguments of a field in a plan.
#[derive(Debug)]
pub enum Arguments<T> {
    /// The same for every request.
    Fixed(T),
    /// Different for each request: the index in its [`Given`].
    Given(usize),
}

/// The arguments of one request that are not fixed by the document, in the order of the plan.
#[derive(Debug, Default)]
pub struct Given(Vec<Read>);

#[derive(Debug)]
enum Read {
    List(Arc<PageQuery>),
    Input(Input<'static>),
}

/// Arguments as the document writes them.
#[derive(Debug)]
struct Written {
    parent: String,
    field: Selected,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    List { noun: &'static Noun, looks_ahead: bool },
    Input,
}

/// All arguments of a plan that must be read for each request.
#[derive(Debug)]
pub struct Unread(Vec<Written>);

/// What is noted while a plan is compiled.
#[derive(Debug)]
pub struct Notes {
    written: RefCell<Vec<Written>>,
    read: RefCell<Vec<Read>>,
    size: PlanSize,
    is_for_all: Cell<bool>,
}

impl Default for Notes {
    fn default() -> Self {
        let (written, read) = (RefCell::default(), RefCell::default());
        Self { written, read, size: PlanSize::default(), is_for_all: Cell::new(true) }
    }
}

impl Notes {
    /// Returns the size of the plan.
    pub fn size(&self) -> &PlanSize {
        &self.size
    }

    /// Notes that the plan depends on more than the document, the operation and the caller's permissions.
    pub fn is_for_this_request(&self) {
        self.is_for_all.set(false);
    }

    /// Returns whether the plan fits every request with the same document, operation and permissions.
    pub fn is_for_all(&self) -> bool {
        self.is_for_all.get()
    }

    /// Notes the arguments of a list, which were read as `query`.
    pub fn list(
        &self,
        (noun, parent): (&'static Noun, &str),
        field: &Selected,
        query: PageQuery,
    ) -> Arguments<Arc<PageQuery>> {
        let query = Arc::new(query);
        // A cursor belongs to one organization.
        if is_fixed(field) && query.after.is_none() && query.before.is_none() {
            return Arguments::Fixed(query);
        }
        let kind = Kind::List { noun, looks_ahead: query.looks_ahead };
        Arguments::Given(self.note(kind, parent, field, Read::List(query)))
    }

    /// Notes the arguments of a computed field, which were read as `input`.
    pub fn input(&self, parent: &str, field: &Selected, input: Input<'static>) -> Arguments<Input<'static>> {
        if is_fixed(field) {
            return Arguments::Fixed(input);
        }
        Arguments::Given(self.note(Kind::Input, parent, field, Read::Input(input)))
    }

    fn note(&self, kind: Kind, parent: &str, field: &Selected, read: Read) -> usize {
        let field = Selected {
            alias: None,
            name: field.name.clone(),
            arguments: field.arguments.clone(),
            directives: Vec::new(),
            selection_set: Positioned::default(),
        };
        self.written.borrow_mut().push(Written { parent: parent.to_owned(), field, kind });
        let mut all = self.read.borrow_mut();
        all.push(read);
        all.len() - 1
    }

    /// Returns the arguments to read for later requests, those of this request, and the size of the plan.
    pub fn into_parts(self) -> (Unread, Given, PlanSize) {
        (Unread(self.written.into_inner()), Given(self.read.into_inner()), self.size)
    }
}

/// Returns whether no argument contains a variable.
fn is_fixed(field: &Selected) -> bool {
    fn has_variable(literal: &Literal) -> bool {
        match literal {
            Literal::Variable(_) => true,
            Literal::List(items) => items.iter().any(has_variable),
            Literal::Object(fields) => fields.values().any(has_variable),
            _ => false,
        }
    }
    !field.arguments.iter().any(|(_, literal)| has_variable(&literal.node))
}

impl Unread {
    /// Reads the arguments of a request. `Err` if a value is invalid or the caller may not use it.
    pub fn read(&self, source: ExecutionContext<'_>, access: AttributeAccess<'_>) -> Result<Given> {
        let read = self.0.iter().map(|Written { parent, field, kind }| {
            let input = source.arguments(parent, field)?;
            Ok(match kind {
                Kind::List { noun, looks_ahead } => {
                    let query = connection(noun, &input, access)?;
                    Read::List(Arc::new(PageQuery { looks_ahead: *looks_ahead, ..query }))
                }
                Kind::Input => Read::Input(input),
            })
        });
        Ok(Given(read.collect::<Result<_>>()?))
    }
}

impl Given {
    /// Returns the page to read from a list.
    pub fn list<'a>(&'a self, arguments: &'a Arguments<Arc<PageQuery>>) -> Result<&'a Arc<PageQuery>> {
        match arguments {
            Arguments::Fixed(query) => Ok(query),
            Arguments::Given(index) => match self.0.get(*index) {
                Some(Read::List(query)) => Ok(query),
                _ => Err(Error::internal("a list has no arguments")),
            },
        }
    }

    /// Returns the arguments of a computed field.
    pub fn input<'a>(&'a self, arguments: &'a Arguments<Input<'static>>) -> Result<&'a Input<'static>> {
        match arguments {
            Arguments::Fixed(input) => Ok(input),
            Arguments::Given(index) => match self.0.get(*index) {
                Some(Read::Input(input)) => Ok(input),
                _ => Err(Error::internal("a computed field has no arguments")),
            },
        }
    }
}
