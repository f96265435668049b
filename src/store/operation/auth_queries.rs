//! Queries for authentication, before a scope exists: secrets of API clients, revocations and quotas.

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
        statement::{
            builder::{Alias, Sql},
            cell::CellKind,
        },
        transaction::event::Event,
    },
};

/// An API client, as the token endpoint needs it.
#[derive(Clone, Debug)]
pub struct KnownClient {
    /// The client's organization.
    pub organization: OrganizationId,
    /// Hash of the client's secret.
    pub hash: String,
    /// Maximum permissions of the client's tokens.
    pub permissions: Permissions,
    /// Whether the client or its organization is revoked, so that no token may be issued.
    pub is_refused: bool,
}

impl Store {
    /// Returns the API client with this id. Not scoped, because the result determines the organization of the caller.
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

    /// Records when a client last got a token, rounded to the minute, so that a busy client causes one write per
    /// minute.
    pub async fn api_client_was_used(&self, organization: OrganizationId, id: Uuid, now: DateTime<Utc>) -> Result<()> {
        let now = now.timestamp_millis();
        let mut sql = self.sql();
        sql.push("UPDATE api_client AS t SET last_used_at = ").bind(now).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", organization).push(" AND id = ").bind(id);
        sql.push(" AND (last_used_at IS NULL OR last_used_at <= ").bind(now - 60_000);
        sql.push(") RETURNING organization_id");
        let tx = self.writer.begin(false, Payer::default()).await?;
        self.query(&tx, sql, &[], organization).await?;
        Ok(tx.commit().await?)
    }

    /// Returns the organization that a token of an external issuer names, by id or slug.
    pub async fn organization_named(&self, name: &str) -> Result<Option<OrganizationId>> {
        let Some((_, id)) = id::decode(name).filter(|(prefix, _)| *prefix == organization::NOUN.prefix) else {
            return self.organization_by_slug(name).await;
        };
        let mut sql = self.sql();
        sql.push("SELECT id FROM organization WHERE id = ").bind(id);
        Ok(self.owners(sql).await?.pop())
    }

    /// Returns the revocations of every organization, except those too old to affect an unexpired token or URL, and the
    /// deleted organizations.
    pub async fn revocations(&self, now: DateTime<Utc>) -> Result<RevokedTokens> {
        let oldest = (now - MAX_URL_LIFETIME - MAX_LIFETIME).timestamp_millis();
        let mut sql = self.sql();
        sql.push("SELECT organization_id, kind, subject, withdrawn_at FROM token_withdrawal WHERE kind = ");
        sql.bind(Revocation::Organization.name()).push(" OR withdrawn_at > ").bind(oldest);
        self.revoked(sql).await
    }

    /// Returns all revocations of an organization, however old: for signed URLs that do not expire.
    pub async fn revocations_of(&self, organization: OrganizationId) -> Result<RevokedTokens> {
        let mut sql = self.sql();
        sql.push("SELECT organization_id, kind, subject, withdrawn_at FROM token_withdrawal AS t WHERE ");
        let why = "revocations of others are compared with their own organizations";
        sql.filter_tenant_again(why, Alias::ROW, "organization_id", organization);
        self.revoked(sql).await
    }

    async fn revoked(&self, sql: Sql) -> Result<RevokedTokens> {
        let mut withdrawn = RevokedTokens::default();
        for row in self.control.query_all_raw(sql.finish()).await? {
            let kind = Revocation::parse(&row.try_get_by_index::<String>(1)?);
            let kind = kind.ok_or_else(|| Error::internal("a withdrawal is of no known kind"))?;
            let second = row.try_get_by_index::<i64>(3)?.div_euclid(1_000);
            withdrawn.add(kind, OrganizationId(row.try_get_by_index(0)?), row.try_get_by_index(2)?, second);
        }
        withdrawn.add_deleted(self.deleted_organizations().await?);
        Ok(withdrawn)
    }
}

impl<C> Scope<C> {
    /// Returns the signer of URLs. Err if this server has no signing key.
    pub fn addresses(&self) -> Result<&UrlSigner> {
        let unsigned = || Error::BadInput("this server has no --signing-key".to_owned());
        self.store.addresses.as_deref().ok_or_else(unsigned)
    }
}

/// Limits of an API client that its organization has set.
#[derive(Clone, Debug)]
pub struct ClientLimits {
    /// The client's organization.
    pub organization: OrganizationId,
    /// The client's id, as in tokens.
    pub client: String,
    /// Maximum number of points that the client can accumulate.
    pub points: Option<u32>,
    /// Points that the client gains per second.
    pub per_second: Option<u32>,
    /// Whether the client may send trusted documents only.
    pub is_trusted_documents_only: bool,
}

impl Store {
    /// Returns the sequence of the newest change of each of these organizations. Not scoped, because it asks for all streams
    /// of this server at once; each one reads what was changed in the scope of its caller.
    pub async fn heads(&self, organizations: &[OrganizationId]) -> Result<Vec<(OrganizationId, i64)>> {
        let ids: Vec<Uuid> = organizations.iter().map(|organization| organization.0).collect();
        let mut sql = self.sql();
        sql.push("SELECT t.organization_id, t.last FROM organization_sequence AS t WHERE ");
        sql.is_one_of(Alias::ROW, "organization_id", &ids);
        let rows = self.control.query_all_raw(sql.finish()).await?;
        rows.iter().map(|row| Ok((OrganizationId(row.try_get_by_index(0)?), row.try_get_by_index(1)?))).collect()
    }

    /// Returns the API clients of all organizations that have their own limits.
    pub async fn client_limits(&self) -> Result<Vec<ClientLimits>> {
        let mut sql = self.sql();
        sql.push("SELECT organization_id, id, points, points_per_second, is_trusted_documents_only FROM api_client ");
        sql.push("WHERE (points IS NOT NULL OR points_per_second IS NOT NULL OR is_trusted_documents_only) ");
        sql.push("AND revoked_at IS NULL");
        let mut limits = Vec::new();
        for row in self.control.query_all_raw(sql.finish()).await? {
            let number = |at| -> Result<Option<u32>> {
                let given = row.try_get_by_index::<Option<i64>>(at)?;
                Ok(given.map(|given| u32::try_from(given).unwrap_or(u32::MAX)))
            };
            limits.push(ClientLimits {
                organization: OrganizationId(row.try_get_by_index(0)?),
                client: id::encode(api_client::NOUN.prefix, row.try_get_by_index(1)?),
                points: number(2)?,
                per_second: number(3)?,
                is_trusted_documents_only: row.try_get_by_index(4)?,
            });
        }
        Ok(limits)
    }
}

impl Tx {
    /// Stores the hash of a client's secret, in a table separate from the client's row, and the client's organization.
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

    /// Revokes the tokens of the caller's organization, of one of its clients, or those issued to a subject until now.
    pub async fn revoke_tokens(&self, kind: Revocation, subject: &str) -> Result<()> {
        let mut sql = self.sql();
        sql.push("INSERT INTO token_withdrawal (organization_id, kind, subject, withdrawn_at) VALUES (");
        sql.bind_tenant(self.organization()).push(", ").bind(kind.name()).push(", ").bind(subject).push(", ");
        sql.bind(self.now().timestamp_millis());
        // A server whose clock is behind must not move a revocation to an earlier time.
        sql.push(") ON CONFLICT (organization_id, kind, subject) DO UPDATE SET withdrawn_at = CASE WHEN ");
        sql.push("excluded.withdrawn_at > token_withdrawal.withdrawn_at THEN excluded.withdrawn_at ELSE ");
        sql.push("token_withdrawal.withdrawn_at END");
        self.execute(sql.finish()).await.map(drop)
    }

    /// Suspends or resumes the caller's organization. Returns whether anything changed.
    pub async fn suspend(&self, is_suspended: bool) -> Result<bool> {
        self.lock_organization().await?;
        let mut sql = self.sql();
        sql.push("DELETE FROM token_withdrawal AS t WHERE ");
        sql.filter_tenant(Alias::ROW, "organization_id", self.organization());
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

    /// Records in the audit log of the organization an act of the operator that changes no row of a noun: the name of
    /// the act, never the person it concerns.
    pub async fn note_act(&self, act: &'static str) -> Result<()> {
        let mut sql = self.sql();
        sql.push("UPDATE organization AS t SET version = version + 1, updated_at = ");
        sql.bind(self.now().timestamp_millis()).push(" WHERE ");
        sql.filter_tenant(Alias::ROW, "id", self.organization()).push(" RETURNING id, version");
        let rows = self.rows(sql.finish(), &[CellKind::Int]).await?;
        let version = rows.first().and_then(|row| row[0].int()).ok_or_else(|| Error::internal("no organization"))?;
        let (noun, operation) = (organization::NOUN.name, EventOperation::Updated);
        self.note(Event { noun, row: self.organization().0, operation, version, fields: vec![act] });
        Ok(())
    }
}
