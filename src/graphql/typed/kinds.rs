//! Marker types for the ways in which a Rust type maps to a type of the API. They are always inferred.
//!
//! A trait with a marker parameter can have blanket implementations for all scalars and for all objects, although the
//! compiler cannot know that no type is both.
//! type is both.

use std::marker::PhantomData;

/// A scalar value.
#[derive(Debug)]
pub struct IsScalar;

/// The id of a row.
#[derive(Debug)]
pub struct IsRow;

/// A struct that derives `Input` or `Output`.
#[derive(Debug)]
pub struct IsObject;

/// A type with its own implementation.
#[derive(Debug)]
pub struct IsSpecial;

/// An `Option`.
#[derive(Debug)]
pub struct IsOption<K>(PhantomData<K>);

/// A `Vec`.
#[derive(Debug)]
pub struct IsList<K>(PhantomData<K>);
