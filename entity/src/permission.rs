//! What a caller may be allowed: the OAuth scopes of the API.

/// One scope of the API, as it stands in a token's `scope` claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// Read what should happen.
    MapRead,
    /// Change what should happen.
    MapWrite,
    /// Read what did happen, without personal data.
    RecordRead,
    /// Record what did happen.
    RecordWrite,
    /// Read personal data.
    CustomersRead,
    /// Write customers.
    CustomersWrite,
    /// Read what was done about it.
    ResponseRead,
    /// Change what is done about it.
    ResponseWrite,
    /// Read measures.
    InsightRead,
    /// Read the change feed and exports.
    ExchangeRead,
    /// Manage the exchange with other systems.
    ExchangeWrite,
    /// Manage the organization itself.
    Admin,
}

impl Permission {
    /// Every scope there is.
    pub const ALL: [Self; 12] = [
        Self::MapRead,
        Self::MapWrite,
        Self::RecordRead,
        Self::RecordWrite,
        Self::CustomersRead,
        Self::CustomersWrite,
        Self::ResponseRead,
        Self::ResponseWrite,
        Self::InsightRead,
        Self::ExchangeRead,
        Self::ExchangeWrite,
        Self::Admin,
    ];

    /// The scope's text in tokens and in `@requiresScopes`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MapRead => "map:read",
            Self::MapWrite => "map:write",
            Self::RecordRead => "record:read",
            Self::RecordWrite => "record:write",
            Self::CustomersRead => "customers:read",
            Self::CustomersWrite => "customers:write",
            Self::ResponseRead => "response:read",
            Self::ResponseWrite => "response:write",
            Self::InsightRead => "insight:read",
            Self::ExchangeRead => "exchange:read",
            Self::ExchangeWrite => "exchange:write",
            Self::Admin => "admin",
        }
    }

    /// The scope of that text, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == text)
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Permissions(u16);

impl Permissions {
    /// Adds one scope.
    #[must_use]
    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | 1 << permission as u16)
    }

    /// Whether the set holds the scope.
    pub const fn holds(self, permission: Permission) -> bool {
        self.0 & 1 << permission as u16 != 0
    }

    /// The scopes in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Its scopes.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.holds(*permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        permissions.into_iter().fold(Self::default(), Self::with)
    }
}
