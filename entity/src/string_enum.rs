//! Enums that are declared once for the database, Rust and the API.

/// An enum of the API.
#[derive(Debug)]
pub struct EnumType {
    /// GraphQL type name.
    pub name: &'static str,
    /// Description in the API.
    pub doc: &'static str,
    /// Names of the values with their descriptions.
    pub values: &'static [(&'static str, &'static str)],
}

/// A Rust enum that columns store by name.
pub trait StringEnum: Sized + Copy + 'static {
    /// Description of the enum.
    const TYPE: &'static EnumType;
    /// Returns the name of the value in the database and in the API.
    fn name(self) -> &'static str;
    /// Returns the value with this name.
    fn parse(name: &str) -> Option<Self>;
}

/// Declares an enum for the database, Rust and the API.
#[macro_export]
macro_rules! string_enum {
    ($(#[doc = $doc:literal])+ $name:ident as $graphql:literal { $($(#[doc = $meaning:literal])+ $variant:ident = $text:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, sea_orm::EnumIter, sea_orm::DeriveActiveEnum)]
        #[sea_orm(rs_type = "String", db_type = "Text")]
        pub enum $name {
            $($(#[doc = $meaning])+ #[sea_orm(string_value = $text)] $variant,)+
        }
        impl $name {
            /// Returns the name of the value in the database and in the API.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
        impl $crate::col::ColumnType for $name {
            type Value = Self;
            fn from_value(value: Option<Self>) -> Option<Self> {
                value
            }
        }
        impl $crate::col::Scalar for $name {
            const KIND: $crate::noun::Kind =
                $crate::noun::Kind::Enum(<$name as $crate::string_enum::StringEnum>::TYPE);
        }
        impl $crate::string_enum::StringEnum for $name {
            const TYPE: &'static $crate::string_enum::EnumType = &$crate::string_enum::EnumType {
                name: $graphql,
                doc: concat!($($doc),+),
                values: &[$(($text, concat!($($meaning),+)),)+],
            };
            fn name(self) -> &'static str {
                self.text()
            }
            fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
