//! API clients: created with a secret that is shown once, and revoked permanently.

use entity::{
    Permission, Permissions,
    api_client::{IS_TRUSTED_DOCUMENTS_ONLY, NAME, NOUN, POINTS, POINTS_PER_SECOND, REVOKED_AT, SCOPES},
    id::{self, ApiClientId},
};
use sea_orm::prelude::ChronoUnixTimestampMillis;

use crate::{
    Result,
    auth::{revoked::Revocation, secret},
    error::Code,
    graphql::{
        mutation::draft::give,
        slice::{Done, Module, Mutation, OneTimeField},
        typed::{
            fields::MutationFn,
            input::{Input, RefTo},
        },
    },
    store::{
        Tx,
        statement::typed::assign,
        writing::{
            draft::{Draft, Mode, Outcome, Reference, Target},
            write::Hooks,
        },
    },
};

/// Field of the payload that returns a secret once.
pub const SECRET: &str = "secret";

/// GraphQL module of API clients.
pub const SLICE: Module = Module {
    mutations: &[CREATE, REVOKE],
    rules: RULES,
    one_time_fields: &[OneTimeField {
        name: SECRET,
        doc: "The secret of the created API client. Returned only once: the server stores its hash, and a replay \
              returns null.",
    }],
    ..Module::new(&NOUN)
};

/// Write rules: a caller can grant only scopes that the caller's own token has.
const RULES: Hooks = Hooks {
    prepare: |tx, drafts| {
        Box::pin(async {
            for draft in drafts {
                check_scopes(tx, draft);
            }
            Ok(())
        })
    },
    ..Hooks::NONE
};

const ABOUT_POINTS: &str = "Capacity of its point bucket, 1 to 100,000,000, at most that of its organization. Defaults to \
                      the server's setting.";
const ABOUT_REFILL: &str = "Refill rate of its point bucket in points per second, 1 to 100,000,000, at most that \
                                 of its organization. Defaults to the server's setting.";

const CREATE: Mutation = Mutation {
    name: "apiClientCreate",
    doc: "Creates an API client and returns its secret once. The token can only grant scopes that it has itself.",
    permissions: &[Permission::Admin],
    run: &MutationFn::new(|tx, input| Box::pin(create(tx, input))),
};

/// A client to be made.
#[derive(Input)]
struct ApiClientCreate {
    /// Display name. Up to 200 characters.
    name: String,
    /// Maximum scopes of its tokens, for example `map:read`; at least one.
    scopes: Vec<String>,
    #[input(doc = ABOUT_POINTS)]
    points: Option<i64>,
    #[input(doc = ABOUT_REFILL)]
    points_per_second: Option<i64>,
    /// Whether it may send no other documents than trusted ones.
    #[input(default)]
    is_trusted_documents_only: bool,
}

/// A client to be revoked.
#[derive(Input)]
struct ApiClientRevoke {
    /// The API client.
    by: RefTo<ApiClientId>,
}

const REVOKE: Mutation = Mutation {
    name: "apiClientRevoke",
    doc: "Revokes an API client permanently: it gets no more tokens, and its current tokens are refused within 10 \
          seconds.",
    permissions: &[Permission::Admin],
    run: &MutationFn::new(|tx, ApiClientRevoke { by }| Box::pin(revoke(tx, &by.reference))),
};

/// Creates an API client from the command line of the server.
pub async fn make(tx: &Tx, name: &str, scopes: Permissions) -> Result<Done> {
    let scopes = scopes.iter().map(|scope| scope.name().to_owned()).collect();
    let name = name.to_owned();
    let (points, points_per_second, is_trusted_documents_only) = (None, None, false);
    create(tx, &ApiClientCreate { name, scopes, points, points_per_second, is_trusted_documents_only }).await
}

/// Creates an API client. Returns its secret in the payload through [`Tx::add_secret`].
async fn create(tx: &Tx, input: &ApiClientCreate) -> Result<Done> {
    let mut draft = Draft::new(&NOUN, Target::New, Mode::CreateOnly);
    give(&mut draft, NAME, Some(input.name.as_str()))?;
    give(&mut draft, SCOPES, Some(input.scopes.clone()))?;
    give(&mut draft, POINTS, input.points)?;
    give(&mut draft, POINTS_PER_SECOND, input.points_per_second)?;
    give(&mut draft, IS_TRUSTED_DOCUMENTS_ONLY, input.is_trusted_documents_only.then_some(true))?;
    check_scopes(tx, &mut draft);
    let written = tx.write(&NOUN, &Hooks::NONE, &mut [draft], true).await?.swap_remove(0);
    let Some(id) = written.id.filter(|_| written.errors.is_empty()) else { return Ok(Err(written.errors)) };
    let secret = secret::make()?;
    tx.keep_secret(id, &secret::hash(&secret)).await?;
    tx.add_secret(SECRET, secret);
    Ok(Ok((id, Outcome::Created)))
}

fn check_scopes(tx: &Tx, draft: &mut Draft) {
    let Some(asked) = draft.get(SCOPES).map(|asked| scopes(&asked)) else { return };
    if asked.is_empty() {
        draft.refuse(Code::Required, "scopes", "at least one scope is required");
    }
    for name in asked {
        match Permission::parse(&name) {
            None => draft.refuse(Code::Invalid, "scopes", "unknown scope"),
            Some(known) if !tx.actor().permissions.holds(known) => {
                draft.refuse(Code::Invalid, "scopes", format!("the token does not have the scope {name}"));
            }
            Some(_) => {}
        }
    }
}

/// Revokes an API client and its tokens.
pub async fn revoke(tx: &Tx, named: &Reference) -> Result<Done> {
    let record = match tx.lock_one(&NOUN, Permission::Admin, named, None).await? {
        Ok(record) => record,
        Err(mistake) => return Ok(Err(vec![mistake])),
    };
    let id = record.id();
    if record.get(REVOKED_AT).is_some() {
        return Ok(Ok((id, Outcome::Unchanged)));
    }
    let now = assign(REVOKED_AT, ChronoUnixTimestampMillis(tx.now()));
    tx.change(&NOUN, vec![(record, vec![now])]).await?;
    tx.revoke_tokens(Revocation::Client, &id::encode(NOUN.prefix, id)).await?;
    Ok(Ok((id, Outcome::Updated)))
}

/// Parses the JSON list of the column `scopes`; returns an empty list if it is invalid.
pub fn scopes(column: &str) -> Vec<String> {
    serde_json::from_str(column).unwrap_or_default()
}
