//! The commands of the program.

use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use chrono_tz::Tz;
use clap::{Args, Subcommand};
use entity::{
    ImportNoun, Permissions,
    id::DepartmentId,
    import::{ImportEncoding, ImportFormat},
    upsert::{Mode, OnNull},
};

use super::{DEMO_FILE, USUAL_FILE, values};

/// A command of the program.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Serve the API
    Serve,
    /// Serve an example organization from a separate database
    Demo,
    /// Migrate the database schema to the version of this program
    Migrate,
    /// Print the GraphQL schema
    Schema,
    /// Print an access token
    Token(TokenRequest),
    /// Revoke all current access tokens of a subject; takes effect within 10 seconds
    Revoke(RevokeRequest),
    /// Manage organizations
    #[command(subcommand, arg_required_else_help = false)]
    Organization(OrganizationCommand),
    /// Manage API clients, which obtain access tokens from POST /oauth/token
    #[command(subcommand, arg_required_else_help = false)]
    ApiClient(ApiClientCommand),
    /// Manage trusted documents, which requests name by their ids
    #[command(subcommand, arg_required_else_help = false)]
    Documents(DocumentsCommand),
    /// Write the rows of a CSV or NDJSON file; print what became of its lines, and fail if one failed
    Import(Box<ImportRequest>),
    /// Verify the hash chain of the audit log
    #[command(subcommand, arg_required_else_help = false)]
    Audit(AuditCommand),
    /// Export the data stored about customers
    #[command(subcommand, arg_required_else_help = false)]
    Customer(CustomerCommand),
    /// Back up a SQLite database to a new file, while it is in use
    Backup {
        /// File to create
        file: PathBuf,
    },
    /// Restore a SQLite backup and repeat the erasures made since
    Restore(RestoreRequest),
    /// Manage erasures
    #[command(subcommand, arg_required_else_help = false)]
    Erasure(ErasureCommand),
}

impl Command {
    /// Returns the default database of the command, and a note if that is the demo's because no other exists.
    pub(super) fn usual_database(&self, folder: &Path) -> (String, Option<String>) {
        let is_there = |name: &str| folder.join(name).exists();
        let is_demo = matches!(self, Self::Demo);
        let is_about_demo =
            !self.makes_database() && self.uses_database() && !is_there(USUAL_FILE) && is_there(DEMO_FILE);
        let name = if is_demo || is_about_demo { DEMO_FILE } else { USUAL_FILE };
        let note = format!("{USUAL_FILE} does not exist in this folder; using the demo's {DEMO_FILE}");
        (format!("sqlite://{name}?mode=rwc"), is_about_demo.then_some(note))
    }

    /// Whether the command uses a database.
    pub const fn uses_database(&self) -> bool {
        !matches!(self, Self::Schema)
    }

    /// Whether the command creates a missing database.
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

/// Arguments of `restore`.
#[derive(Args, Clone, Debug)]
pub struct RestoreRequest {
    /// Backup to restore
    pub file: PathBuf,
    /// Replace the existing database
    #[arg(long)]
    pub replace: bool,
    /// Restore without --erasure-ledger, because nobody was erased since the backup
    #[arg(long)]
    pub no_erasure_ledger: bool,
    /// Ignore an incomplete last line in --erasure-ledger, left by a crash; that erasure was never acknowledged
    #[arg(long)]
    pub drop_torn_line: bool,
}

/// The commands on erasures.
#[derive(Clone, Debug, Subcommand)]
pub enum ErasureCommand {
    /// Repeat the erasures recorded in --erasure-ledger, after a restore
    Replay {
        /// Ignore an incomplete last line in --erasure-ledger, left by a crash; that erasure was never acknowledged
        #[arg(long)]
        drop_torn_line: bool,
    },
    /// List erasures: customer, time, number of rows erased, state
    List {
        /// Slug of the organization
        #[arg(long, value_name = "SLUG")]
        organization: String,
    },
    /// Rewrite the tables that hold personal data, to remove erased bytes from the files; locks each table meanwhile
    Scrub,
}

/// The commands on customers.
#[derive(Clone, Debug, Subcommand)]
pub enum CustomerCommand {
    /// Write all data stored about a customer as JSON lines; the last line confirms that the export is complete
    Export(ExportRequest),
}

/// Arguments of `customer export`.
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
    /// File to create; existing files are not overwritten [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `token`.
#[derive(Args, Clone, Debug)]
pub struct TokenRequest {
    /// Slug of the organization
    #[arg(long, value_name = "SLUG")]
    pub organization: String,
    /// Scopes, separated by spaces, for example "map:read record:read"
    #[arg(long = "scope", value_name = "SCOPES", value_parser = values::permissions)]
    pub permissions: Permissions,
    /// Subject (sub) of the token
    #[arg(long, value_name = "NAME", default_value = "operator")]
    pub subject: String,
    /// Lifetime, at most 24h
    #[arg(long = "ttl", value_name = "DURATION", default_value = "1h", value_parser = values::token_life)]
    pub life: TimeDelta,
    /// Id of a department. The token then sees cases, routings and feedback of this department only; repeat the option
    /// for more
    #[arg(long = "department", value_name = "ID", value_parser = values::department)]
    pub departments: Vec<DepartmentId>,
}

/// The commands on organizations.
#[derive(Clone, Debug, Subcommand)]
pub enum OrganizationCommand {
    /// Create an organization and print its id
    Create(OrganizationRequest),
    /// List organizations: slug, id, name, state
    List,
    /// Refuse all tokens of an organization; takes effect within 10 seconds
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

/// Arguments of `revoke`.
#[derive(Args, Clone, Debug)]
pub struct RevokeRequest {
    /// Slug of the organization
    #[arg(long, value_name = "SLUG")]
    pub organization: String,
    /// Subject (sub) of the tokens; ISSUER|SUB for an external issuer
    #[arg(long, value_name = "NAME")]
    pub subject: String,
}

/// The commands on API clients.
#[derive(Clone, Debug, Subcommand)]
pub enum ApiClientCommand {
    /// Create an API client and print its id and secret; the secret cannot be shown again
    Create(ApiClientRequest),
    /// Revoke an API client permanently
    Revoke {
        /// Slug of the organization
        #[arg(long, value_name = "SLUG")]
        organization: String,
        /// Id of the client
        #[arg(long)]
        id: String,
    },
    /// List the API clients of an organization
    List {
        /// Slug of the organization
        #[arg(long, value_name = "SLUG")]
        organization: String,
    },
}

/// Arguments of `api-client create`.
#[derive(Args, Clone, Debug)]
pub struct ApiClientRequest {
    /// Slug of the organization
    #[arg(long, value_name = "SLUG")]
    pub organization: String,
    /// Display name
    #[arg(long, value_parser = values::name)]
    pub name: String,
    /// Maximum scopes of its tokens, separated by spaces
    #[arg(long = "scope", value_name = "SCOPES", value_parser = values::permissions)]
    pub permissions: Permissions,
}

/// The commands on trusted documents.
#[derive(Clone, Debug, Subcommand)]
pub enum DocumentsCommand {
    /// Store the documents of a file: Apollo's persisted query manifest, or a JSON object with a text for each id, as
    /// graphql-codegen and the Relay compiler write it
    Push {
        /// Slug of the organization
        #[arg(long, value_name = "SLUG")]
        organization: String,
        /// File to read
        file: PathBuf,
    },
    /// Check the stored documents against the schema of this program, and list those that it does not fit
    Check {
        /// Slug of the organization
        #[arg(long, value_name = "SLUG")]
        organization: String,
    },
}

/// Arguments of `import`.
#[derive(Args, Clone, Debug)]
pub struct ImportRequest {
    /// Slug of the organization
    #[arg(long, value_name = "SLUG")]
    pub organization: String,
    /// File to import
    #[arg(required_unless_present = "resume", conflicts_with = "resume")]
    pub file: Option<PathBuf>,
    /// Type of the rows, such as customer or feedbackRecord
    #[arg(long = "noun", value_name = "TYPE", required_unless_present = "resume", value_parser = values::import_noun)]
    pub noun: Option<ImportNoun>,
    /// Take a field from a column, such as name=Name; without --map and --set, the header names the fields
    #[arg(long, value_name = "FIELD=COLUMN", value_parser = values::pair)]
    pub map: Vec<(String, String)>,
    /// Give a field the same value in every row, such as externalId.system=crm
    #[arg(long, value_name = "FIELD=VALUE", value_parser = values::pair)]
    pub set: Vec<(String, String)>,
    /// Separate the items of a list in a cell by another text than a semicolon, such as tags=,
    #[arg(long, value_name = "FIELD=TEXT", value_parser = values::pair)]
    pub split: Vec<(String, String)>,
    /// Form of the file [default: by its name]
    #[arg(long, value_name = "CSV|NDJSON", value_parser = values::choice::<ImportFormat>)]
    pub format: Option<ImportFormat>,
    /// Character encoding; AUTO tells UTF-8 and UTF-16 apart
    #[arg(long, value_name = "AUTO|UTF_8|UTF_16|WINDOWS_1252", default_value = "AUTO", value_parser = values::choice::<ImportEncoding>)]
    pub encoding: ImportEncoding,
    /// Character between two cells [default: a comma; a tab if the name of the file ends in .tsv]
    #[arg(long, value_name = "CHARACTER")]
    pub delimiter: Option<String>,
    /// Whether rows may be created, updated, or both
    #[arg(long, value_name = "UPSERT|CREATE_ONLY|UPDATE_ONLY", default_value = "UPSERT", value_parser = values::choice::<Mode>)]
    pub mode: Mode,
    /// What an empty cell means: KEEP changes nothing, CLEAR clears the field
    #[arg(long, value_name = "KEEP|CLEAR", default_value = "KEEP", value_parser = values::choice::<OnNull>)]
    pub on_null: OnNull,
    /// End after so many failed lines
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
    pub max_failures: Option<i64>,
    /// Write nothing; say what would become of each line
    #[arg(long)]
    pub dry_run: bool,
    /// Continue an import that was interrupted, by its id
    #[arg(long, value_name = "ID")]
    pub resume: Option<String>,
}

/// Arguments of `organization create`.
#[derive(Args, Clone, Debug)]
pub struct OrganizationRequest {
    /// Unique name for commands and tokens: a-z, 0-9 and -
    #[arg(long, value_parser = values::slug)]
    pub slug: String,
    /// Display name
    #[arg(long, value_parser = values::name)]
    pub name: String,
    /// IANA time zone of days, weeks and months
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = values::time_zone)]
    pub time_zone: Tz,
}

/// The commands on the audit log.
#[derive(Clone, Debug, Subcommand)]
pub enum AuditCommand {
    /// Recompute the chain; on a mismatch, report the first changed, removed or added event and exit with status 1
    Verify(AuditRequest),
    /// Print the newest seal of each organization, for storing it elsewhere
    Head {
        /// Slug of the organization [default: all]
        #[arg(long, value_name = "SLUG")]
        organization: Option<String>,
    },
}

/// Arguments of `audit verify`.
#[derive(Args, Clone, Debug)]
pub struct AuditRequest {
    /// Slug of the organization [default: all]
    #[arg(long, value_name = "SLUG")]
    pub organization: Option<String>,
    /// Heads stored elsewhere: a file with output of `audit head`, or one hash
    #[arg(long, value_name = "FILE|HASH")]
    pub head: Option<String>,
    /// Sequence of the first event that must still exist; earlier ones may have been pruned
    #[arg(long, value_name = "SEQUENCE", default_value = "1", value_parser = clap::value_parser!(i64).range(1..))]
    pub kept_from: i64,
}
