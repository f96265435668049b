//! The entry point: reads the settings, runs one command, prints its result or a one-line error.

use std::{io::Write, process::ExitCode};

use anyhow::Result;
use rapport::{
    command::{self, recovery},
    config::{Command, ConfigError, CustomerCommand, Settings},
    schema, telemetry,
};

// Not actix's runtime: each worker has its own, and the database connections must outlive all of them.
#[tokio::main]
async fn main() -> ExitCode {
    let (text, code) = match run().await {
        Ok(text) => (text, 0),
        Err(error) => match error.downcast_ref::<ConfigError>() {
            Some(ConfigError::Shown(help)) => (help.clone(), 0),
            stop => {
                eprintln!("rapport: {}", command::error_message(&error));
                (String::new(), if stop.is_some() { 2 } else { 1 })
            }
        },
    };
    let printed = std::io::stdout().write_all(text.as_bytes());
    if printed.is_ok() { ExitCode::from(code) } else { ExitCode::FAILURE }
}

/// Runs the command and returns the text to print.
async fn run() -> Result<String> {
    let settings = Settings::read()?;
    telemetry::start(settings.log.clone(), settings.log_format);
    #[cfg(debug_assertions)]
    if rapport::config::are_faults_on() {
        rapport::faults::turn_on();
        rapport::config::most_pages().into_iter().for_each(rapport::faults::limit_pages);
    }
    if let Some(note) = &settings.note {
        eprintln!("rapport: {note}");
    }
    match &settings.command {
        Command::Serve => command::serve(&settings, false).await,
        Command::Demo => command::serve(&settings, true).await,
        Command::Migrate => command::migrate(&settings).await,
        Command::Schema => Ok(schema::build().sdl()),
        Command::Token(request) => command::token(&settings, request).await,
        Command::Revoke(request) => command::revoke(&settings, request).await,
        Command::Organization(asked) => command::organization(&settings, asked).await,
        Command::ApiClient(asked) => command::api_client(&settings, asked).await,
        Command::Documents(asked) => command::documents(&settings, asked).await,
        Command::Import(request) => command::import(&settings, request).await,
        Command::Audit(asked) => command::audit(&settings, asked).await,
        Command::Customer(CustomerCommand::Export(request)) => command::export(&settings, request).await,
        Command::Backup { file } => recovery::backup(&settings, file).await,
        Command::Restore(request) => recovery::restore(&settings, request).await,
        Command::Erasure(asked) => recovery::erasure(&settings, asked).await,
    }
}
