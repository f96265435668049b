//! Calendar feeds: work as an iCalendar document, at a signed address that does not expire.

use entity::{
    Permission, Permissions,
    calendar_feed::{CalendarFeedStatus, DEPARTMENT_ID, ID, MEMBER_ID, NAME, NOUN, STATUS},
    case, follow_up,
    id::{self, CalendarFeedId, NounId},
    noun::StringEnum,
};
use icalendar::{Calendar, Component, Event, EventLike};
use sea_orm::prelude::Uuid;

use super::work::{KINDS, Owner};
use crate::{
    Result,
    auth::signed_url::Grant,
    graphql::{
        slice::{Computed, Module},
        typed::fields::{ByRow, ComputedFn},
    },
    store::{
        Scope,
        paging::timeline::{NEVER, TimelineQuery},
    },
};

/// Maximum number of entries of a calendar.
const MOST: usize = 1_000;

/// GraphQL module of calendar feeds.
pub const SLICE: Module = Module {
    computed: &[Computed {
        name: "url",
        doc: "Signed address from which a calendar reads the feed, without a token and without expiry; null once the feed \
              is revoked. It shows titles if the token has the scope customers:read, and falls with the token's subject. \
              Whoever has it can read the feed: keep it secret.",
        run: &ComputedFn::new(|scope, (), ids| Box::pin(urls(scope, ids))),
    }],
    ..Module::new(&NOUN)
};

/// Returns the path and query of the address of a feed.
pub fn resource(feed: Uuid) -> String {
    format!("/calendars/{}.ics?form=event", id::encode(NOUN.prefix, feed))
}

async fn urls(scope: &Scope, ids: &[Uuid]) -> Result<ByRow<Option<String>>> {
    let addresses = scope.addresses()?;
    let wanted = [Permission::ResponseRead, Permission::CustomersRead];
    let scopes: Permissions = wanted.into_iter().filter(|wanted| scope.actor().require(*wanted).is_ok()).collect();
    let mut urls = ByRow::new();
    for (id, status) in scope.select_by_ids((ID, STATUS), ids).await? {
        let resource = resource(id.uuid());
        let grant = Grant { resource: &resource, scopes, life: None };
        let url = addresses.sign(scope.actor(), grant, scope.now())?;
        urls.insert(id.uuid(), Some(url).filter(|_| status == CalendarFeedStatus::Active));
    }
    Ok(urls)
}

/// Returns a feed as an iCalendar document; `None` if there is no such feed or it is revoked.
pub async fn document(scope: &Scope, feed: CalendarFeedId) -> Result<Option<String>> {
    let found = scope.select_by_ids((STATUS, NAME, MEMBER_ID, DEPARTMENT_ID), &[feed.uuid()]).await?;
    let Some((CalendarFeedStatus::Active, name, member, department)) = found.into_iter().next() else {
        return Ok(None);
    };
    let owner = member.map(|id| Owner::Member(id.0)).or(department.map(|id| Owner::Department(id.0)));
    let Some(owner) = owner else { return Ok(None) };
    let query = TimelineQuery { to: Some(NEVER), limit: MOST, ..owner.query(KINDS) };
    let page = scope.timelines(&query, &[owner.id()]).await?.remove(&owner.id()).unwrap_or_default();
    let mut calendar = Calendar::new();
    calendar.name(&name);
    let ids: Vec<Uuid> = page.rows.iter().map(|row| row.position.1).collect();
    let is_shown = scope.actor().require(Permission::CustomersRead).is_ok();
    let mut titles = Vec::new();
    for (id, title) in scope.select_by_ids((case::ID, case::TITLE), &ids).await? {
        titles.push((id.uuid(), "Case", title));
    }
    for (id, kind, title) in scope.select_by_ids((follow_up::ID, follow_up::KIND, follow_up::TITLE), &ids).await? {
        titles.push((id.uuid(), kind.name(), title));
    }
    for row in &page.rows {
        let (at, id) = row.position;
        let Some((_, kind, title)) = titles.iter().find(|(known, ..)| *known == id) else { continue };
        let summary = if is_shown { format!("{kind}: {title}") } else { (*kind).to_owned() };
        let mut event = Event::new();
        event.uid(&id::encode(row.noun.prefix, id)).summary(&summary);
        if let Some(at) = chrono::DateTime::from_timestamp_millis(at) {
            event.starts(at).timestamp(scope.now());
        }
        calendar.push(event.done());
    }
    Ok(Some(calendar.to_string()))
}
