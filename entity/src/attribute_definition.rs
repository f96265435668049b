//! What an admin declared of an attribute: whether its values may tell about a person.

use sea_orm::entity::prelude::*;

use crate::{
    id::{AttributeDefinitionId, OrganizationId},
    noun::{Field, Kind, Noun, Operation, SYSTEM, StringEnum, Writable},
    permission::Permission,
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

/// What an admin declared of an attribute.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "attribute_definition")]
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
    pub noun: AttributeNoun,
    /// Its name.
    pub name: String,
    /// Whether its values may tell about a person.
    pub is_personal: bool,
}

impl ActiveModelBehavior for ActiveModel {}

crate::tenanted!(NOUN);

/// The description of an attribute's definition.
pub static NOUN: Noun = Noun {
    name: "AttributeDefinition",
    singular: "attributeDefinition",
    plural: "attributeDefinitions",
    table: "attribute_definition",
    prefix: "attr",
    doc: "What an admin declared of an attribute of this name. Attributes are personal, and need `customers:read`, \
          unless they are declared not to be. A change holds from the next request on. At most 1,000 an organization.",
    tenant: "organization_id",
    read: Some(Permission::Admin),
    write: Permission::Admin,
    system: &SYSTEM,
    fields: &[
        Field { writable: Writable::Fixed, ..Field::new("noun", "noun", Kind::Enum(AttributeNoun::TYPE), "Whose attribute.") },
        Field::new(
            "name",
            "name",
            Kind::Text { max: 200 },
            "Name of the attribute, as records spell it; defined once for a noun.",
        )
        .required()
        .ordered(),
        Field::new(
            "isPersonal",
            "is_personal",
            Kind::Bool,
            "Whether its values may tell about a person. If false, whoever may read the rows may read, filter and group by it.",
        )
        .required(),
    ],
    relations: &[],
    operations: &[Operation::List, Operation::Create, Operation::Update, Operation::Delete],
    has_external_ids: false,
};
