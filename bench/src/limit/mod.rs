//! The limit: a server that returns the same responses with hand-written SQL, prepared statements and serde, on both
//! databases.
//!
//! The questions are fixed: the limit does not parse GraphQL, check scopes, compute costs or enforce limits. It
//! verifies the same tokens as Rapport and caches verified tokens as Rapport does.

mod answer;
mod ask;
mod bulk;
mod complete;
mod door;
mod postgres;
mod route;
mod row;
mod search;
mod sqlite;
mod timeline;
mod work;

use std::{path::PathBuf, sync::Arc};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::Result;

use self::{door::Door, postgres::Postgres, sqlite::Sqlite};

/// How to run the limit.
#[derive(clap::Args)]
pub struct Arguments {
    /// Address to serve on
    #[arg(long)]
    listen: String,
    /// `postgres://…`, or the path of a SQLite file
    #[arg(long)]
    database: String,
    /// Public key of the tokens, PEM
    #[arg(long)]
    key: PathBuf,
    /// Connections to the database
    #[arg(long, default_value_t = 8)]
    connections: usize,
}

enum Database {
    Postgres(Postgres),
    Sqlite(Sqlite),
}

struct State {
    door: Door,
    database: Database,
}

/// Runs the server until the process is killed.
pub async fn serve(arguments: &Arguments) -> Result<()> {
    let database = if arguments.database.starts_with("postgres") {
        Database::Postgres(Postgres::connect(&arguments.database, arguments.connections).await?)
    } else {
        Database::Sqlite(Sqlite::open(PathBuf::from(&arguments.database))?)
    };
    let state = web::Data::from(Arc::new(State { door: Door::new(&std::fs::read(&arguments.key)?)?, database }));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .app_data(web::PayloadConfig::new(4 << 20))
            .route("/readyz", web::get().to(|| async { "ready" }))
            .route("/{question}", web::post().to(answer))
    });
    Ok(server.bind(&arguments.listen)?.run().await?)
}

async fn answer(
    http: HttpRequest,
    question: web::Path<String>,
    body: web::Bytes,
    state: web::Data<State>,
) -> HttpResponse {
    let Some(caller) = state.door.caller(http.headers()) else { return HttpResponse::Unauthorized().finish() };
    let answered = match &state.database {
        Database::Postgres(database) => database.answer(&caller, &question, &body).await,
        Database::Sqlite(database) => database.answer(&caller, &question, &body).await,
    };
    match answered {
        Ok(json) => HttpResponse::Ok().content_type("application/json").body(json),
        Err(error) => HttpResponse::InternalServerError().body(format!("{{\"errors\":[\"{error}\"]}}")),
    }
}
