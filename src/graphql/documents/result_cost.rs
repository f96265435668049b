//! What the parts of an answer cost, in tenths of points.

/// Tenths of points that an object of an answer costs.
pub const OBJECT: u64 = 1;
/// Tenths of points for counting all rows of a list.
pub const COUNT: u64 = 100;
/// Tenths of points for grouping all rows of a list.
pub const GROUP: u64 = 1_000;
/// Tenths of points for a row that was written.
pub const WRITTEN: u64 = 10;
