//! Runs the server until it is told to stop, and lets it finish.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    num::NonZero,
    thread,
    time::Duration,
};

use actix_web::{App as ActixApp, HttpServer, dev::ServerHandle, web};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    admin,
    app::{App, State, mount},
    health::Health,
};
use crate::config::HttpSettings;

/// How long the log has for the line that says why the process is ended by force.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Serves until SIGTERM or SIGINT, then finishes what has begun. `announce` is told the address, which the system
/// chooses where the settings say port 0.
pub async fn serve(app: App, settings: &HttpSettings, announce: impl FnOnce(SocketAddr)) -> io::Result<()> {
    let health = Health::new(app.store.clone());
    tokio::spawn(app.gate.lookout.clone().keep_polling());
    let unusable = |setting: &str, address: SocketAddr, error: &io::Error| {
        io::Error::new(error.kind(), format!("--{setting} {address} cannot be used: {error}"))
    };
    let admin_listener = TcpListener::bind(settings.admin_listen)
        .map_err(|error| unusable("admin-listen", settings.admin_listen, &error))?;
    let state = web::Data::new(State::new(app, settings));
    let shared_health = web::Data::new(health.clone());
    let origins = settings.cors_origins.clone();
    let make = move || {
        let store = state.app.store.of_this_thread();
        ActixApp::new().configure(mount(state.clone(), store, shared_health.clone(), origins.clone()))
    };
    let server = HttpServer::new(make)
        .workers(threads())
        .disable_signals()
        .tcp_nodelay(true)
        .shutdown_timeout(settings.drain_timeout.saturating_sub(settings.drain_delay).as_secs())
        .bind(settings.listen)
        .map_err(|error| unusable("listen", settings.listen, &error))?;
    let address = server.addrs().first().copied().unwrap_or(settings.listen);
    let admin = admin_listener.local_addr().unwrap_or(settings.admin_listen);
    admin::spawn(admin_listener, health.clone())?;
    let server = server.run();
    tokio::spawn(stop_on_signal(server.handle(), health, settings)?);
    tracing::info!(%address, %admin, "listening");
    announce(address);
    server.await
}

/// How many threads answer.
pub fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Signals are listened for from the call on, not only once the task runs.
///
/// After SIGTERM new connections are still taken for a while, until whoever sends them has seen that this process is
/// not ready: a connection that waits to be accepted would be cut. At a terminal nobody looks.
fn stop_on_signal(
    server: ServerHandle,
    health: Health,
    settings: &HttpSettings,
) -> io::Result<impl Future<Output = ()> + use<>> {
    let (delay, limit) = (settings.drain_delay, settings.drain_timeout + settings.exit_timeout);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let delay = tokio::select! {
            _ = terminate.recv() => delay,
            _ = interrupt.recv() => Duration::ZERO,
        };
        end_after(limit);
        tracing::info!("stopping: finishing what has begun");
        health.drain();
        tokio::time::sleep(delay).await;
        server.stop(true).await;
    })
}

/// Ends the process by force: a worker that never yields cannot be asked to stop.
fn end_after(limit: Duration) {
    thread::spawn(move || {
        thread::sleep(limit);
        // In a thread of its own: a log that nobody reads stops those who write to it.
        thread::spawn(|| tracing::error!("some requests would not end: exiting without them"));
        thread::sleep(LAST_WORDS);
        std::process::exit(1);
    });
}
