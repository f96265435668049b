//! Content items: what can be shared with customers.

use sea_orm::entity::prelude::*;

use crate::{
    Noun,
    id::{ContentItemId, OrganizationId},
    kind::{LanguageTag, Url},
};

crate::string_enum! {
    /// Kind of content item.
    ContentKind as "ContentKind" {
        /// An article.
        Article = "ARTICLE",
        /// A catalogue.
        Catalogue = "CATALOGUE",
        /// A book.
        Book = "BOOK",
        /// A programme on radio or television, or a webcast.
        Programme = "PROGRAMME",
        /// Other content.
        Other = "OTHER",
    }
}

/// An article, a catalogue, a book or a programme that can be shared with customers who are interested in its topics.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Noun)]
#[sea_orm(table_name = "content_item")]
#[noun(prefix = "content", read = RecordRead, write = RecordWrite, operations = FULL, external_ids)]
pub struct Model {
    /// Organization that owns the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Id of the row.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ContentItemId,
    /// Version of the row, starting at 1.
    pub version: i64,
    /// Time of creation.
    pub created_at: ChronoUnixTimestampMillis,
    /// Time of the last change.
    pub updated_at: ChronoUnixTimestampMillis,
    /// Kind of content.
    #[noun(required, ordered)]
    pub kind: ContentKind,
    /// Title.
    #[noun(required, ordered, searchable, max = 200)]
    pub title: String,
    /// Folded copy of `title` for search.
    pub title_folded: String,
    /// What it is about.
    #[noun(optional, searchable, max = 20000)]
    pub summary: Option<String>,
    /// Folded copy of `summary` for search.
    pub summary_folded: Option<String>,
    /// Where it is found on the web.
    #[noun(optional)]
    pub address: Option<Url>,
    /// Language of the content.
    #[noun(optional)]
    pub language: Option<LanguageTag>,
    /// When a programme is on air, UTC.
    #[noun(optional, ordered)]
    pub airs_at: Option<ChronoUnixTimestampMillis>,
    /// Up to 50 topics of up to 64 characters, in the words of customers' interests, without duplicates, in alphabetical
    /// order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub topics: String,
    /// Up to 50 tags of up to 64 characters, without duplicates, in alphabetical order.
    #[noun(default = "[]", tags(most = 50, max = 64))]
    pub tags: String,
    /// Up to 20 named values with unique names; names and values have up to 200 characters.
    #[noun(default = "[]", attributes(most = 20, max = 200))]
    pub attributes: String,

    /// Time of archiving; null if active.
    pub archived_at: Option<ChronoUnixTimestampMillis>,
}
