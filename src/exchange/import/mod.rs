//! Imports: files that callers upload are written as rows, line by line, by a job. `docs/guides/import.md` tells the rest.

mod columns;
mod create;
mod encoding;
mod job;
mod lines;
mod source;
mod upload;

pub(super) use self::{
    create::SLICE as IMPORTS,
    job::JOB,
    lines::{OLD_JOB, SLICE as LINES},
};
pub use self::{
    create::{ImportColumn, ImportCreate, begin},
    upload::{Refusal, Upload},
};
