//! What is asked before anybody has a scope: whether a client's secret is right, and whose tokens are refused.

use chrono::{DateTime, Utc};
use entity::{
    Permissions, api_client,
    event::EventOperation,
    id::{self, OrganizationId},
    noun::StringEnum,
    organization,
};
use sea_orm::{ConnectionTrait, prelude::Uuid};

use crate::{
    Error, Result,
    auth::{
        claims::MAX_LIFETIME,
        revoked::{Revocation, RevokedTokens},
        signed_url::{MAX_URL_LIFETIME, UrlSigner},
    },
    store::{
        Connection, Scope, Store, Tx,
        driver::{Payer, RowLayout, TenantRow},
        statement::{builder::Alias, cell::CellKind, tenant_check::TenantCheck},
        transaction::event::Event,
    },
};

/// An API client as the token endpoint sees it.
#[derive(Clone, Debug)]
pub struct KnownClient {
    /// Its organization.
    pub organization: OrganizationId,
    /// Hash of its secret.
    pub hash: String,
    /// What its tokens may do at most.
    pub permissions: Permissions,
    /// Whether it, or its organization, may have none.
    pub is_refused: bool,
}

impl Store {
    /// The API client of that id. It calls to learn which organization it may act in.
    pub async fn api_client(&self, id: Uuid) -> Result<Option<KnownClient>> {
        let mut sql = self.sql();
        sql.push("SELECT c.organization_id, s.hash, c.scopes, c.revoked_at, w.withdrawn_at FROM api_client_owner d ");
        sql.push("JOIN api_client_secret s ON s.organization_id = d.organization_id ");
        sql.push("AND s.api_client_id = d.api_client_id JOIN api_client c ON c.organization_id = s.organization_id AND c.id = s.api_client_id ");
        sql.push("LEFT JOIN token_withdrawal w ON w.organization_id = s.organization_id AND w.kind = ");
        sql.bind(Revocation::Organization.name()).push(" WHERE d.api_client_id = ").bind(id);
        let kinds = [CellKind::Text, CellKind::Text, CellKind::Int, CellKind::Int];
        let found = self.reader.read(sql.finish(), RowLayout { has_parent: false, kinds: &kinds }).await?;
        let Some(TenantRow { tenant: Some(organization), cells, .. }) = found.into_iter().next() else {
            return Ok(None);
        };
        let scopes: Vec<String> = serde_json::from_str(cells[1].text().unwrap_or_default()).unwrap_or_default();
        Ok(Some(KnownClient {
            organization: OrganizationId(organization),
            hash: cells[0].text().unwrap_or_default().to_owned(),
            permissions: scopes.iter().filter_map(|name| entity::Permission::parse(name)).collect(),
            is_refused: cells[2..].iter().any(|cell| !cell.is_null()),
        }))
    }

    /// Notes when a client last got a token, to the minute: a busy client costs one write a minute.
    pub async fn api_client_was_used(&self, organization: OrganizationId, id: Uuid, now: DateTime<Utc>) -> Result<()> {
        let now = now.timestamp_millis();
        let mut sql = self.sql();
        sql.push("UPDATE api_client AS t SET last_used_at = ").bind(now).push(" WHERE ");
        sql.filter_tenant(TenantCheck::ClientUse, Alias::ROW, "organization_id", organization)
            .push(" AND id = ")
            .bind(id);
        sql.push(" AND (last_used_at IS NULL OR last_used_at <= ").bind(now - 60_000);
        sql.push(") RETURNING organization_id");
        let tx = self.writer.begin(false, Payer::default()).await?;
        self.query(&tx, sql, &[], organization).await?;
        Ok(tx.commit().await?)
    }

    /// The organization that a token of another issuer names, by id or slug.
    pub async fn organization_named(&self, name: &str) -> Result<Option<OrganizationId>> {
        let Some((_, id)) = id::decode(name).filter(|(prefix, _)| *prefix == organization::NOUN.prefix) else {
            return self.organization_by_slug(name).await;
        };
        let mut sql = self.sql();
        sql.push("SELECT id FROM organization WHERE id = ").bind(id);
        Ok(self.owners(sql).await?.pop())
    }

    /// Whose tokens are refused, of every organization. What no living token can be of is left out.
    pub async fn revocations(&self, now: DateTime<Utc>) -> Result<RevokedTokens> {
        let oldest = (now - MAX_URL_LIFETIME - MAX_LIFETIME).timestamp_millis();
        let mut sql = self.sql();
        sql.push("SELECT organization_id, kind, subject, withdrawn_at FROM token_withdrawal WHERE kind = ");
        sql.bind(Revocation::Organization.name()).push(" OR withdrawn_at > ").bind(oldest);
        let mut withdrawn = RevokedTokens::default();
        for row in self.control.query_all_raw(sql.finish()).await? {
            let kind = Revocation::parse(&row.try_get_by_index::<String>(1)?);
            let kind = kind.ok_or_else(|| Error::internal("a withdrawal is of no known kind"))?;
            let second = row.try_get_by_index::<i64>(3)?.div_euclid(1_000);
            withdrawn.add(kind, OrganizationId(row.try_get_by_index(0)?), row.try_get_by_index(2)?, second);
        }
        Ok(withdrawn)
    }
}

impl<C> Scope<C> {
    /// What signs addresses on the caller's behalf, if this server has a key of its own.
    pub fn addresses(&self) -> Option<&UrlSigner> {
        self.store.addresses.as_deref()
    }
}

/// What an API client may spend, where its organization has said so.
#[derive(Clone, Debug)]
pub struct ClientQuota {
    /// Its organization.
    pub organization: OrganizationId,
    /// Its id, as tokens name it.
    pub client: String,
    /// Points it can save up.
    pub points: Option<u32>,
    /// Points it gains each second.
    pub per_second: Option<u32>,
}

impl Store {
    /// The API clients of every organization that have limits of their own.
    pub async fn client_quotas(&self) -> Result<Vec<ClientQuota>> {
        let mut sql = self.sql();
        sql.push("SELECT organization_id, id, points, points_per_second FROM api_client ");
        sql.push("WHERE (points IS NOT NULL OR points_per_second IS NOT NULL) AND revoked_at IS NULL");
        let mut quotas = Vec::new();
        for row in self.control.query_all_raw(sql.finish()).await? {
            let number = |at| -> Result<Option<u32>> {
                let given = row.try_get_by_index::<Option<i64>>(at)?;
                Ok(given.map(|given| u32::try_from(given).unwrap_or(u32::MAX)))
            };
            quotas.push(ClientQuota {
                organization: OrganizationId(row.try_get_by_index(0)?),
                client: id::encode(api_client::NOUN.prefix, row.try_get_by_index(1)?),
                points: number(2)?,
                per_second: number(3)?,
            });
        }
        Ok(quotas)
    }
}

impl Tx {
    /// Keeps the hash of a client's secret, outside of what its description shows.
    pub async fn keep_secret(&self, client: Uuid, hash: &str) -> Result<()> {
        let mut sql = self.sql();
        sql.push("INSERT INTO api_client_secret (organization_id, api_client_id, hash) VALUES (");
        sql.bind_tenant(self.organization()).push(", ").bind(client).push(", ").bind(hash).push(")");
        self.execute(sql.finish()).await?;
        let mut sql = self.sql();
        sql.push("INSERT INTO api_client_owner (api_client_id, organization_id) VALUES (").bind(client).push(", ");
        sql.bind_tenant(self.organization()).push(")");
        self.execute(sql.finish()).await.map(drop)
    }

    /// Refuses the tokens of the caller's organization, of one of its clients, or those a subject was issued until now.
    pub async fn revoke_tokens(&self, kind: Revocation, subject: &str) -> Result<()> {
        let mut sql = self.sql();
        sql.push("INSERT INTO token_withdrawal (organization_id, kind, subject, withdrawn_at) VALUES (");
        sql.bind_tenant(self.organization()).push(", ").bind(kind.name()).push(", ").bind(subject).push(", ");
        sql.bind(self.now().timestamp_millis());
        // A clock that is behind must not give back what was taken.
        sql.push(") ON CONFLICT (organization_id, kind, subject) DO UPDATE SET withdrawn_at = CASE WHEN ");
        sql.push("excluded.withdrawn_at > token_withdrawal.withdrawn_at THEN excluded.withdrawn_at ELSE ");
        sql.push("token_withdrawal.withdrawn_at END");
        self.execute(sql.finish()).await.map(drop)
    }

    /// Suspends the caller's organization, or resumes it. Answers whether anything changed.
    pub async fn suspend(&self, is_suspended: bool) -> Result<bool> {
        self.lock_organization().await?;
        let mut sql = self.sql();
        sql.push("DELETE FROM token_withdrawal AS t WHERE ");
        sql.filter_tenant(TenantCheck::Resumption, Alias::ROW, "organization_id", self.organization());
        sql.push(" AND kind = ").bind(Revocation::Organization.name()).push(" RETURNING organization_id");
        let was_suspended = !self.rows(sql.finish(), &[]).await?.is_empty();
        if is_suspended {
            self.revoke_tokens(Revocation::Organization, "").await?;
        }
        if was_suspended == is_suspended {
            return Ok(false);
        }
        self.note_act("suspendedAt").await?;
        Ok(true)
    }

    /// Notes at the organization that whoever sits at the machine did something to it that changes no row of a noun: what
    /// it was, never about whom.
    pub async fn note_act(&self, act: &'static str) -> Result<()> {
        let mut sql = self.sql();
        sql.push("UPDATE organization AS t SET version = version + 1, updated_at = ");
        sql.bind(self.now().timestamp_millis()).push(" WHERE ");
        sql.filter_tenant(TenantCheck::Suspension, Alias::ROW, "id", self.organization())
            .push(" RETURNING id, version");
        let rows = self.rows(sql.finish(), &[CellKind::Int]).await?;
        let version = rows.first().and_then(|row| row[0].int()).ok_or_else(|| Error::internal("no organization"))?;
        let (noun, operation) = (organization::NOUN.name, EventOperation::Updated);
        self.note(Event { noun, row: self.organization().0, operation, version, fields: vec![act] });
        Ok(())
    }
}
