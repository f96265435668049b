//! The response, through the API: the people who give it.

mod members;
