//! What an admin declared of an attribute: whether its values may tell about a person.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{AttributeDefinitionId, OrganizationId},
};

crate::string_enum! {
    /// A noun whose rows have attributes.
    AttributeNoun as "AttributeNoun" {
        /// Feedback records.
        FeedbackRecord = "FEEDBACK_RECORD",
    }
}

impl AttributeNoun {
    /// The noun.
    pub fn noun(self) -> &'static Noun {
        match self {
            Self::FeedbackRecord => &crate::feedback_record::NOUN,
        }
    }
}

/// What an admin declared of an attribute of this name. Attributes are personal, and need `customers:read`, unless they
/// are declared not to be. A change holds from the next request on. At most 1,000 an organization.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "attribute_definition")]
#[noun(prefix = "attr", read = Admin, write = Admin, operations = [List, Create, Update, Delete])]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AttributeDefinitionId,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: ChronoUnixTimestampMillis,
    /// When it last changed.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Whose attribute.
    #[noun(fixed)]
    pub noun: AttributeNoun,
    /// Name of the attribute, as records spell it; defined once for a noun.
    #[noun(required, ordered, max = 200)]
    pub name: String,
    /// Whether its values may tell about a person. If false, whoever may read the rows may read, filter and group by
    /// it.
    #[noun(required)]
    pub is_personal: bool,
}
