//! Parses a document according to the grammar of the GraphQL specification into async-graphql's types.
//!
//! async-graphql's own parser accepts `queryQ`, `[01]` and `()`, refuses surrogate pairs and `\u{…}`, does not unescape
//! `\"""`, and keeps the last of two input fields with the same name.

use std::collections::{HashMap, hash_map::Entry};

use async_graphql::{
    Name, Pos, Positioned, ServerError,
    indexmap::{IndexMap, map::Entry as FieldEntry},
    parser::types::{
        BaseType, Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, FragmentSpread,
        InlineFragment, OperationDefinition, OperationType, Selection, SelectionSet, Type, TypeCondition,
        VariableDefinition,
    },
};
use async_graphql_value::{Number, Value as Literal};

use super::lex::{Kind, Token};
use crate::graphql::failure::{PARSE_FAILED, VALIDATION_FAILED, refuse};

type Result<T> = std::result::Result<T, ServerError>;
type Operations = HashMap<Name, Positioned<OperationDefinition>>;

/// Parses tokens. The recursion is as deep as the nesting of brackets, which the caller must limit. Err on a syntax
/// error.
pub fn parse(tokens: Vec<Token<'_>>) -> Result<ExecutableDocument> {
    let end = tokens.last().map_or(Pos { line: 1, column: 1 }, |token| token.pos);
    let mut parser = Parser { tokens: tokens.into_iter(), next: None, end };
    parser.advance();
    parser.document()
}

struct Parser<'a> {
    tokens: std::vec::IntoIter<Token<'a>>,
    next: Option<Token<'a>>,
    /// Start of the last token: the position of errors at the end of the document.
    end: Pos,
}

impl<'a> Parser<'a> {
    fn document(&mut self) -> Result<ExecutableDocument> {
        let (mut named, mut anonymous) = (Operations::new(), None);
        let mut fragments = HashMap::new();
        while self.next.is_some() {
            let pos = self.pos();
            if self.skips_description() && self.sees(b'{') {
                return Err(self.unexpected("an operation with a keyword, or a fragment"));
            }
            if self.takes_keyword("fragment") {
                let (name, fragment) = self.fragment()?;
                insert(&mut fragments, name, Positioned::new(fragment, pos), "two fragments have the same name")?;
                continue;
            }
            let (name, operation) = self.operation()?;
            if anonymous.is_some() || (name.is_none() && !named.is_empty()) {
                let message = "an operation without a name must be the only one";
                return Err(refuse(PARSE_FAILED, message, Some(pos)));
            }
            let operation = Positioned::new(operation, pos);
            match name {
                Some(name) => insert(&mut named, name, operation, "two operations have the same name")?,
                None => anonymous = Some(operation),
            }
        }
        let operations = match anonymous {
            Some(operation) => DocumentOperations::Single(operation),
            None if named.is_empty() => return Err(refuse(PARSE_FAILED, "the document has no operation", None)),
            None => DocumentOperations::Multiple(named),
        };
        Ok(ExecutableDocument { operations, fragments })
    }

    fn operation(&mut self) -> Result<(Option<Name>, OperationDefinition)> {
        let (mut name, mut variable_definitions, mut directives) = (None, Vec::new(), Vec::new());
        let mut ty = OperationType::Query;
        if !self.sees(b'{') {
            ty = match self.next.as_ref().map(|token| &token.kind) {
                Some(Kind::Name("query")) => OperationType::Query,
                Some(Kind::Name("mutation")) => OperationType::Mutation,
                Some(Kind::Name("subscription")) => OperationType::Subscription,
                _ => return Err(self.unexpected("an operation or a fragment")),
            };
            self.advance();
            name = self.name_if_any().map(|name| name.node);
            if self.takes(b'(') {
                variable_definitions = self.until(b')', true, Self::variable_definition)?;
            }
            directives = self.directives(false)?;
        }
        let selection_set = self.selection_set()?;
        Ok((name, OperationDefinition { ty, variable_definitions, directives, selection_set }))
    }

    fn fragment(&mut self) -> Result<(Name, FragmentDefinition)> {
        if self.sees_keyword("on") {
            return Err(self.unexpected("a name of the fragment"));
        }
        let name = self.name()?.node;
        let pos = self.pos();
        if !self.takes_keyword("on") {
            return Err(self.unexpected("on"));
        }
        let type_condition = Positioned::new(TypeCondition { on: self.name()? }, pos);
        let directives = self.directives(false)?;
        Ok((name, FragmentDefinition { type_condition, directives, selection_set: self.selection_set()? }))
    }

    fn variable_definition(&mut self) -> Result<Positioned<VariableDefinition>> {
        self.skips_description();
        let pos = self.pos();
        self.expect(b'$')?;
        let name = self.name()?;
        self.expect(b':')?;
        let (start, ty) = (self.pos(), self.ty()?);
        let default_value = if self.takes(b'=') {
            let pos = self.pos();
            let literal = self.literal(true)?;
            let constant = literal.into_const().ok_or_else(|| refuse(PARSE_FAILED, NO_VARIABLE, Some(pos)))?;
            Some(Positioned::new(constant, pos))
        } else {
            None
        };
        let directives = self.directives(true)?;
        let var_type = Positioned::new(ty, start);
        Ok(Positioned::new(VariableDefinition { name, var_type, directives, default_value }, pos))
    }

    fn ty(&mut self) -> Result<Type> {
        let base = if self.takes(b'[') {
            let inner = self.ty()?;
            self.expect(b']')?;
            BaseType::List(Box::new(inner))
        } else {
            BaseType::Named(self.name()?.node)
        };
        Ok(Type { base, nullable: !self.takes(b'!') })
    }

    fn selection_set(&mut self) -> Result<Positioned<SelectionSet>> {
        let pos = self.pos();
        self.expect(b'{')?;
        Ok(Positioned::new(SelectionSet { items: self.until(b'}', true, Self::selection)? }, pos))
    }

    fn selection(&mut self) -> Result<Positioned<Selection>> {
        let pos = self.pos();
        let selection = if self.next.as_ref().is_some_and(|token| token.kind == Kind::Spread) {
            self.advance();
            let start = self.pos();
            if self.takes_keyword("on") {
                let condition = TypeCondition { on: self.name()? };
                self.inline_fragment(pos, Some(Positioned::new(condition, start)))?
            } else if let Some(fragment_name) = self.name_if_any() {
                let directives = self.directives(false)?;
                Selection::FragmentSpread(Positioned::new(FragmentSpread { fragment_name, directives }, pos))
            } else {
                self.inline_fragment(pos, None)?
            }
        } else {
            Selection::Field(Positioned::new(self.field()?, pos))
        };
        Ok(Positioned::new(selection, pos))
    }

    fn inline_fragment(&mut self, pos: Pos, type_condition: Option<Positioned<TypeCondition>>) -> Result<Selection> {
        let directives = self.directives(false)?;
        let selection_set = self.selection_set()?;
        Ok(Selection::InlineFragment(Positioned::new(
            InlineFragment { type_condition, directives, selection_set },
            pos,
        )))
    }

    fn field(&mut self) -> Result<Field> {
        let first = self.name()?;
        let (alias, name) = if self.takes(b':') { (Some(first), self.name()?) } else { (None, first) };
        let arguments = self.arguments(false)?;
        let directives = self.directives(false)?;
        let selection_set = if self.sees(b'{') { self.selection_set()? } else { Positioned::default() };
        Ok(Field { alias, name, arguments, directives, selection_set })
    }

    fn directives(&mut self, is_constant: bool) -> Result<Vec<Positioned<Directive>>> {
        let mut directives = Vec::new();
        while self.sees(b'@') {
            let pos = self.pos();
            self.advance();
            let name = self.name()?;
            let arguments = self.arguments(is_constant)?;
            directives.push(Positioned::new(Directive { name, arguments }, pos));
        }
        Ok(directives)
    }

    fn arguments(&mut self, is_constant: bool) -> Result<Vec<(Positioned<Name>, Positioned<Literal>)>> {
        if !self.takes(b'(') {
            return Ok(Vec::new());
        }
        self.until(b')', true, |parser| {
            let name = parser.name()?;
            parser.expect(b':')?;
            let pos = parser.pos();
            Ok((name, Positioned::new(parser.literal(is_constant)?, pos)))
        })
    }

    fn literal(&mut self, is_constant: bool) -> Result<Literal> {
        let pos = self.pos();
        if self.takes(b'[') {
            return Ok(Literal::List(self.until(b']', false, |parser| parser.literal(is_constant))?));
        }
        if self.takes(b'{') {
            return self.object(is_constant);
        }
        if self.takes(b'$') {
            let name = self.name()?.node;
            return if is_constant {
                Err(refuse(PARSE_FAILED, NO_VARIABLE, Some(pos)))
            } else {
                Ok(Literal::Variable(name))
            };
        }
        let Some(Token { kind: Kind::Name(_) | Kind::Int(_) | Kind::Float(_) | Kind::Text(_), .. }) = self.next else {
            return Err(self.unexpected("a value"));
        };
        match self.advance() {
            Some(Kind::Name("true")) => Ok(Literal::Boolean(true)),
            Some(Kind::Name("false")) => Ok(Literal::Boolean(false)),
            Some(Kind::Name("null")) => Ok(Literal::Null),
            Some(Kind::Name(name)) => Ok(Literal::Enum(Name::new(name))),
            Some(Kind::Text(text)) => Ok(Literal::String(text)),
            Some(Kind::Int(written) | Kind::Float(written)) => number(written)
                .map(Literal::Number)
                .ok_or_else(|| refuse(PARSE_FAILED, "a number is larger than double precision holds", Some(pos))),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn object(&mut self, is_constant: bool) -> Result<Literal> {
        let mut fields = IndexMap::new();
        while !self.takes(b'}') {
            let name = self.name()?;
            self.expect(b':')?;
            let value = self.literal(is_constant)?;
            match fields.entry(name.node) {
                FieldEntry::Vacant(entry) => drop(entry.insert(value)),
                FieldEntry::Occupied(_) => {
                    let message = "an input field is given twice in the same object";
                    return Err(refuse(VALIDATION_FAILED, message, Some(name.pos)));
                }
            }
        }
        Ok(Literal::Object(fields))
    }

    /// Skips a description, which the server ignores. Returns whether there was one.
    fn skips_description(&mut self) -> bool {
        let is_next = matches!(self.next, Some(Token { kind: Kind::Text(_), .. }));
        if is_next {
            self.advance();
        }
        is_next
    }

    /// Parses items up to a closing bracket. The opening bracket must have been consumed.
    fn until<T>(
        &mut self,
        close: u8,
        at_least_one: bool,
        mut one: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while (at_least_one && items.is_empty()) || !self.takes(close) {
            items.push(one(self)?);
        }
        Ok(items)
    }

    fn name(&mut self) -> Result<Positioned<Name>> {
        self.name_if_any().ok_or_else(|| self.unexpected("a name"))
    }

    fn name_if_any(&mut self) -> Option<Positioned<Name>> {
        let Some(Token { kind: Kind::Name(name), pos }) = self.next else { return None };
        self.advance();
        Some(Positioned::new(Name::new(name), pos))
    }

    fn expect(&mut self, sign: u8) -> Result<()> {
        if self.takes(sign) { Ok(()) } else { Err(self.unexpected(&format!("\"{}\"", char::from(sign)))) }
    }

    fn sees(&self, sign: u8) -> bool {
        self.next.as_ref().is_some_and(|token| token.kind == Kind::Sign(sign))
    }

    fn takes(&mut self, sign: u8) -> bool {
        let is_next = self.sees(sign);
        if is_next {
            self.advance();
        }
        is_next
    }

    fn sees_keyword(&self, keyword: &str) -> bool {
        self.next.as_ref().is_some_and(|token| token.kind == Kind::Name(keyword))
    }

    fn takes_keyword(&mut self, keyword: &str) -> bool {
        let is_next = self.sees_keyword(keyword);
        if is_next {
            self.advance();
        }
        is_next
    }

    fn advance(&mut self) -> Option<Kind<'a>> {
        std::mem::replace(&mut self.next, self.tokens.next()).map(|token| token.kind)
    }

    fn pos(&self) -> Pos {
        self.next.as_ref().map_or(self.end, |token| token.pos)
    }

    /// Returns a syntax error at the next token. The message names the kind of token and does not quote it, because it
    /// may contain personal data.
    fn unexpected(&self, expected: &str) -> ServerError {
        let found = match self.next.as_ref().map(|token| &token.kind) {
            None => "the end of the document".to_owned(),
            Some(Kind::Name(_)) => "a name".to_owned(),
            Some(Kind::Int(_) | Kind::Float(_)) => "a number".to_owned(),
            Some(Kind::Text(_)) => "a string".to_owned(),
            Some(Kind::Sign(sign)) => format!("\"{}\"", char::from(*sign)),
            Some(Kind::Spread) => "\"...\"".to_owned(),
        };
        refuse(PARSE_FAILED, format!("syntax error: expected {expected}, found {found}"), Some(self.pos()))
    }
}

const NO_VARIABLE: &str = "a variable cannot stand where a constant must";

fn insert<T>(
    known: &mut HashMap<Name, Positioned<T>>,
    name: Name,
    value: Positioned<T>,
    twice: &'static str,
) -> Result<()> {
    match known.entry(name) {
        Entry::Vacant(entry) => {
            entry.insert(value);
            Ok(())
        }
        Entry::Occupied(first) => {
            let mut refused = refuse(PARSE_FAILED, twice, Some(first.get().pos));
            refused.locations.push(value.pos);
            Err(refused)
        }
    }
}

/// Parses a number: 64-bit integers exactly, all others as double precision. Returns `None` if the number is too large
/// for double precision.
fn number(written: &str) -> Option<Number> {
    if let Ok(whole) = written.parse::<i64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = written.parse::<u64>() {
        return Some(whole.into());
    }
    Number::from_f64(written.parse().ok()?)
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
