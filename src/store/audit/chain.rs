//! The bytes and hashes of the audit chain. Heads kept outside the database depend on this format, so it must not
//! change.

use aws_lc_rs::digest::{Context, SHA256, digest};
use entity::id::OrganizationId;

use super::{Seal, Sealed, name};
use crate::{
    store::statement::cell::{Cell, CellKind},
    text::hex,
};

/// Prefix of the hashed text of every seal.
const FORMAT: &str = "rapport audit 1";
/// Number of hexadecimal digits of an event's hash that a seal stores.
const LEAF: usize = 16;

/// Types of the columns of an event, in the order of [`crate::store::transaction::event::COLUMNS`], without the
/// organization.
pub(super) const KINDS: [CellKind; 10] = [
    CellKind::Id,
    CellKind::Int,
    CellKind::Text,
    CellKind::Id,
    CellKind::Text,
    CellKind::Int,
    CellKind::Text,
    CellKind::Text,
    CellKind::Int,
    CellKind::Text,
];

impl Sealed {
    /// Reads a row of the event table. The canonical bytes of an event are a JSON array of all columns, ids in
    /// hexadecimal.
    pub(super) fn read(organization: OrganizationId, cells: &[Cell]) -> Self {
        let organization = Cell::Id(organization.0);
        let json = std::iter::once(&organization).chain(cells).map(|cell| match cell {
            Cell::Id(id) => id.simple().to_string().into(),
            Cell::Text(text) => text.as_str().into(),
            Cell::Int(number) => (*number).into(),
            Cell::Null | Cell::Float(_) | Cell::Bool(_) => serde_json::Value::Null,
        });
        let bytes = json.collect::<serde_json::Value>().to_string();
        let (id, row) = (cells[0].id().unwrap_or_default(), cells[3].id().unwrap_or_default());
        let text = |place: usize| cells[place].text().unwrap_or_default();
        Self {
            sequence: cells[1].int().unwrap_or_default(),
            name: name(id, text(2), row, text(4)),
            hash: sha256(bytes.as_bytes()),
        }
    }

    /// Returns the part of the event's hash that a seal stores.
    pub(super) fn leaf(&self) -> String {
        hex(&self.hash)[..LEAF].to_owned()
    }
}

impl Seal {
    /// Creates a seal over `events`, of which the first has the sequence `first`.
    pub(super) fn over(
        organization: OrganizationId,
        previous: &str,
        first: i64,
        events: &[Sealed],
        sealed_at: i64,
    ) -> Self {
        let last = events.last().map_or(first, |event| event.sequence);
        let leaves = events.iter().map(Sealed::leaf).collect();
        let mut seal = Self { first, last, leaves, digest: digest_of(events), sealed_at, hash: String::new() };
        seal.hash = seal.computed(organization, previous);
        seal
    }

    /// Computes the hash of a seal with these contents that follows the seal with the hash `previous`.
    pub(super) fn computed(&self, organization: OrganizationId, previous: &str) -> String {
        let Self { first, last, leaves, digest, sealed_at, .. } = self;
        let organization = organization.0.simple();
        let text = format!("{FORMAT}\n{previous}\n{organization}\n{first}\n{last}\n{sealed_at}\n{digest}\n{leaves}\n");
        hex(&sha256(text.as_bytes()))
    }

    /// Returns the stored part of the hash of the event with this sequence.
    pub(super) fn leaf(&self, sequence: i64) -> Option<&str> {
        let place = usize::try_from(sequence - self.first).ok()?.checked_mul(LEAF)?;
        self.leaves.get(place..place + LEAF)
    }
}

/// Hashes the hashes of events.
pub(super) fn digest_of(events: &[Sealed]) -> String {
    let mut context = Context::new(&SHA256);
    for event in events {
        context.update(&event.hash);
    }
    hex(context.finish().as_ref())
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}
