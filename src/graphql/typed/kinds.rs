//! Marks that tell apart the ways in which a type of Rust is a type of the API. They are always inferred.
//!
//! A trait with such a parameter can be implemented for all scalars and for all objects, although nothing says that no
//! type is both.

use std::marker::PhantomData;

/// A value.
#[derive(Debug)]
pub struct IsScalar;

/// The id of a row.
#[derive(Debug)]
pub struct IsRow;

/// A struct that derives `Input` or `Output`.
#[derive(Debug)]
pub struct IsObject;

/// A type that is made for the API.
#[derive(Debug)]
pub struct IsSpecial;

/// An `Option`.
#[derive(Debug)]
pub struct IsOption<K>(PhantomData<K>);

/// A `Vec`.
#[derive(Debug)]
pub struct IsList<K>(PhantomData<K>);
