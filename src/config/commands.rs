//! What the program can be told to do.

use std::path::PathBuf;

use chrono::TimeDelta;
use chrono_tz::Tz;
use clap::{Args, Subcommand};
use entity::Permissions;

use super::values;

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Serve the API
    Serve,
    /// Serve an example organization from a database of its own
    Demo,
    /// Bring the database's schema up to date
    Migrate,
    /// Print the GraphQL schema
    Schema,
    /// Print an access token
    Token(TokenRequest),
    /// Refuse the access tokens that somebody holds now, within 10 seconds
    Revoke(RevokeRequest),
    /// Manage organizations
    #[command(subcommand, arg_required_else_help = false)]
    Organization(OrganizationCommand),
    /// Manage API clients, which get access tokens at POST /oauth/token
    #[command(subcommand, arg_required_else_help = false)]
    ApiClient(ApiClientCommand),
    /// Look at the audit log's chain of seals
    #[command(subcommand, arg_required_else_help = false)]
    Audit(AuditCommand),
    /// Hand out what is held about customers
    #[command(subcommand, arg_required_else_help = false)]
    Customer(CustomerCommand),
    /// Copy a SQLite database, while it is in use, to a file that is not there yet
    Backup {
        /// File to make
        file: PathBuf,
    },
    /// Put a backup in a SQLite database's place, without those who were erased since
    Restore(RestoreRequest),
    /// Keep erased people erased
    #[command(subcommand, arg_required_else_help = false)]
    Erasure(ErasureCommand),
}

impl Command {
    /// Whether it is about a database at all.
    pub const fn uses_database(&self) -> bool {
        !matches!(self, Self::Schema)
    }

    /// Whether a database that is not there is made: by what needs none to be there.
    pub const fn makes_database(&self) -> bool {
        matches!(
            self,
            Self::Serve
                | Self::Demo
                | Self::Migrate
                | Self::Restore(_)
                | Self::Organization(OrganizationCommand::Create(_))
        )
    }
}

/// What to restore.
#[derive(Args, Clone, Debug)]
pub struct RestoreRequest {
    /// Backup to restore
    pub file: PathBuf,
    /// Replace the database that is there
    #[arg(long)]
    pub replace: bool,
    /// Restore without --erasure-ledger: nobody was erased since the backup
    #[arg(long)]
    pub no_erasure_ledger: bool,
    /// Go on if the last line of --erasure-ledger was cut off by a crash: nobody was told of that erasure
    #[arg(long)]
    pub drop_torn_line: bool,
}

/// What to do about erasures.
#[derive(Clone, Debug, Subcommand)]
pub enum ErasureCommand {
    /// Erase whoever --erasure-ledger tells of and this database still knows, after a restore
    Replay {
        /// Go on if the last line of --erasure-ledger was cut off by a crash: nobody was told of that erasure
        #[arg(long)]
        drop_torn_line: bool,
    },
    /// Print who was erased, when, how many rows were emptied, and whether that is done
    List {
        /// Slug of the organization
        #[arg(long, value_name = "SLUG")]
        organization: String,
    },
    /// Rewrite the tables of personal data, so that erased bytes leave the files; locks each while it does
    Scrub,
}

/// What to hand out.
#[derive(Clone, Debug, Subcommand)]
pub enum CustomerCommand {
    /// Write everything held about a customer as lines of JSON, the last of which says that it is complete
    Export(ExportRequest),
}

/// Whose data to write, and where.
#[derive(Args, Clone, Debug)]
pub struct ExportRequest {
    /// Slug of the organization
    #[arg(long, value_name = "SLUG")]
    pub organization: String,
    /// Id of the customer
    #[arg(long, required_unless_present = "external_id")]
    pub id: Option<String>,
    /// External id of the customer
    #[arg(long, value_name = "SYSTEM:ID", conflicts_with = "id")]
    pub external_id: Option<String>,
    /// File to make; nothing is overwritten [default: print the lines]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Whom a token is for.
#[derive(Args, Clone, Debug)]
pub struct TokenRequest {
    /// Slug of the organization
    #[arg(long, value_name = "SLUG")]
    pub organization: String,
    /// Scopes with a space between them, such as "map:read record:read"
    #[arg(long = "scope", value_name = "SCOPES", value_parser = values::permissions)]
    pub permissions: Permissions,
    /// Who will use it
    #[arg(long, value_name = "NAME", default_value = "operator")]
    pub subject: String,
    /// How long it lives, at most 24h
    #[arg(long = "ttl", value_name = "DURATION", default_value = "1h", value_parser = values::token_life)]
    pub life: TimeDelta,
}

/// What to do with organizations.
#[derive(Clone, Debug, Subcommand)]
pub enum OrganizationCommand {
    /// Make an organization and print its id
    Create(OrganizationRequest),
    /// Print the organizations: slug, id, name, state
    List,
    /// Refuse every token of an organization, within 10 seconds
    Suspend {
        /// Slug of the organization
        #[arg(long)]
        slug: String,
    },
    /// End a suspension
    Resume {
        /// Slug of the organization
        #[arg(long)]
        slug: String,
    },
}

/// Whose tokens to refuse.
#[derive(Args, Clone, Debug)]
pub struct RevokeRequest {
    /// Slug of the organization
    #[arg(long, value_name = "SLUG")]
    pub organization: String,
    /// Their `sub`; of an external issuer ISSUER|SUB
    #[arg(long, value_name = "NAME")]
    pub subject: String,
}

/// What to do with API clients.
#[derive(Clone, Debug, Subcommand)]
pub enum ApiClientCommand {
    /// Make an API client; print its id and, this once, its secret
    Create(ApiClientRequest),
    /// Revoke an API client for good
    Revoke {
        /// Slug of the organization
        #[arg(long, value_name = "SLUG")]
        organization: String,
        /// Id of the client
        #[arg(long)]
        id: String,
    },
    /// Print the API clients of an organization
    List {
        /// Slug of the organization
        #[arg(long, value_name = "SLUG")]
        organization: String,
    },
}

/// The API client to make.
#[derive(Args, Clone, Debug)]
pub struct ApiClientRequest {
    /// Slug of the organization
    #[arg(long, value_name = "SLUG")]
    pub organization: String,
    /// Name to show
    #[arg(long, value_parser = values::name)]
    pub name: String,
    /// What its tokens may do at most: scopes with a space between them
    #[arg(long = "scope", value_name = "SCOPES", value_parser = values::permissions)]
    pub permissions: Permissions,
}

/// The organization to make.
#[derive(Args, Clone, Debug)]
pub struct OrganizationRequest {
    /// Name in commands, unique on the server: a-z, 0-9 and -
    #[arg(long, value_parser = values::slug)]
    pub slug: String,
    /// Name to show
    #[arg(long, value_parser = values::name)]
    pub name: String,
    /// IANA time zone in which days, weeks and months are counted
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = values::time_zone)]
    pub time_zone: Tz,
}

/// What to do with the audit log.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// Compute the chain again; name the first event that was changed, removed or added, and fail
    Verify(AuditRequest),
    /// Print the newest seal of each organization, to be kept elsewhere
    Head {
        /// Slug of the organization [default: all]
        #[arg(long, value_name = "SLUG")]
        organization: Option<String>,
    },
}

/// Which chains to compute again.
#[derive(Args, Clone, Debug)]
pub struct AuditRequest {
    /// Slug of the organization [default: all]
    #[arg(long, value_name = "SLUG")]
    pub organization: Option<String>,
    /// Heads that were kept elsewhere: a file of what `audit head` printed, at any times, or one hash
    #[arg(long, value_name = "FILE|HASH")]
    pub head: Option<String>,
    /// The first event that must still be there; those before it may have been pruned
    #[arg(long, value_name = "SEQUENCE", default_value = "1", value_parser = clap::value_parser!(i64).range(1..))]
    pub kept_from: i64,
}
