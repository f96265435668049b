//! The scalars that columns hold.

use std::fmt::Write as _;

use entity::kind::{SCALARS, Storage};

/// A table of them.
pub fn table() -> String {
    let mut text = "| Scalar | Holds | In tables | Definition |\n|---|---|---|---|\n".to_owned();
    for scalar in SCALARS {
        let stored = match scalar.storage {
            Storage::Text => "text",
            Storage::Int { .. } => "64-bit integer",
        };
        let defined = scalar.specified_by.map(|address| format!("<{address}>")).unwrap_or_default();
        writeln!(text, "| `{}` | {} | {stored} | {defined} |", scalar.name, scalar.doc).unwrap();
    }
    text
}
