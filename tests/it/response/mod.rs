//! The response, through the API: the people who give it, and the cases that they handle.

mod case_closing;
mod case_paths;
mod cases;
mod members;
