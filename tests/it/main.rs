//! One test binary.

mod settings;
