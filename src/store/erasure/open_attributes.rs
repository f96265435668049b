//! Attributes that an admin declared not personal, and which other attributes a caller may read.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use entity::{
    Noun, Permission,
    attribute_definition::{AttributeNoun, NOUN},
    noun::{Field, StringEnum},
};

use crate::{
    Error, Result,
    auth::Actor,
    store::{
        Connection, Scope,
        statement::{
            builder::Alias,
            cell::{Cell, CellKind},
        },
    },
};

/// Names of attributes that are not personal, by the table of their noun.
pub type Open = HashMap<&'static str, Arc<BTreeSet<String>>>;

/// A caller's access to attributes.
#[derive(Clone, Copy, Debug)]
pub struct AttributeAccess<'a> {
    /// The caller.
    pub actor: &'a Actor,
    /// Attributes that are not personal; `None` until they were read, because most requests do not need them.
    open: Option<&'a Open>,
}

impl AttributeAccess<'_> {
    /// Err unless the caller may read the column, whatever its values.
    pub fn may_use(self, field: &Field) -> Result<()> {
        if field.is_guarded() { self.actor.require(Permission::CustomersRead) } else { Ok(()) }
    }

    /// Returns whether the attributes that are not personal were read, so that decisions may depend on them.
    pub fn knows_open_attributes(self) -> bool {
        self.open.is_some()
    }

    /// Returns the only attributes that the caller may read; `None` if the caller may read all.
    pub fn open_attributes(self, noun: &Noun, field: &Field) -> Result<Option<Arc<BTreeSet<String>>>> {
        if self.may_use(field).is_ok() {
            return Ok(None);
        }
        let open = self.open.ok_or(Error::NotRead)?;
        Ok(Some(open.get(noun.table).cloned().unwrap_or_default()))
    }

    /// Returns whether an admin declared an attribute not personal. Only after the declarations were read.
    pub fn is_open_attribute(self, noun: &Noun, name: &str) -> bool {
        self.open.and_then(|open| open.get(noun.table)).is_some_and(|names| names.contains(name))
    }

    /// Err unless the caller may read the values of an attribute.
    pub fn may_use_attribute(self, noun: &Noun, field: &Field, name: &str) -> Result<()> {
        match self.open_attributes(noun, field)? {
            Some(open) if !open.contains(name) => self.may_use(field),
            _ => Ok(()),
        }
    }
}

impl<C: Connection> Scope<C> {
    /// Returns the caller's access to attributes.
    pub fn attribute_access(&self) -> AttributeAccess<'_> {
        AttributeAccess { actor: self.actor(), open: self.open.get() }
    }

    /// Returns the access to attributes that another actor has.
    pub fn attribute_access_of<'a>(&'a self, actor: &'a Actor) -> AttributeAccess<'a> {
        AttributeAccess { actor, open: self.open.get() }
    }

    /// Reads which attributes are not personal, once per request; includes all changes committed before.
    pub async fn read_open_attributes(&self) -> Result<()> {
        if self.open.get().is_some() {
            return Ok(());
        }
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.noun, t.name, t.is_personal FROM ")
            .name(&[NOUN.table])
            .push(" AS t WHERE ");
        sql.filter_tenant(Alias::ROW, &NOUN, self.organization());
        let mut open: HashMap<&'static str, BTreeSet<String>> = HashMap::new();
        for row in self.read_rows(sql.finish(), &[CellKind::Text, CellKind::Text, CellKind::Bool]).await? {
            let is_open = row[2] == Cell::Bool(false);
            if let Some((noun, name)) =
                row[0].text().and_then(AttributeNoun::parse).zip(row[1].text()).filter(|_| is_open)
            {
                open.entry(noun.noun().table).or_default().insert(name.to_owned());
            }
        }
        let open = open.into_iter().map(|(table, names)| (table, Arc::new(names))).collect();
        // A concurrent query of the same request may already have set the same value.
        let _ = self.open.set(open);
        Ok(())
    }
}
