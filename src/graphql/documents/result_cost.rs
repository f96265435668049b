//! Costs of the parts of a response, in tenths of points.

/// Cost of an object in a response, in tenths of points.
pub const OBJECT: u64 = 1;
/// Cost of counting all rows of a list, in tenths of points.
pub const COUNT: u64 = 100;
/// Cost of grouping all rows of a list, in tenths of points.
pub const GROUP: u64 = 1_000;
/// Cost of a written row, in tenths of points.
pub const WRITTEN: u64 = 10;
