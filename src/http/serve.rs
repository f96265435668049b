//! Runs the server until it is told to stop, and lets it finish.

use std::{
    io,
    net::{SocketAddr, TcpListener},
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

/// How long after the draining the process is ended by force: a worker that never yields cannot be asked to stop.
const LAST_RESORT: Duration = Duration::from_secs(10);

/// Serves until SIGTERM or SIGINT, then finishes what has begun. `announce` is told the address, which the system
/// chooses where the settings say port 0.
pub async fn serve(app: App, settings: &HttpSettings, announce: impl FnOnce(SocketAddr)) -> io::Result<()> {
    let health = Health::new(app.store.clone());
    let unusable = |setting: &str, address: SocketAddr, error: &io::Error| {
        io::Error::new(error.kind(), format!("--{setting} {address} cannot be used: {error}"))
    };
    let admin_listener = TcpListener::bind(settings.admin_listen)
        .map_err(|error| unusable("admin-listen", settings.admin_listen, &error))?;
    let state = web::Data::new(State::new(app, settings));
    let shared_health = web::Data::new(health.clone());
    let origins = settings.cors_origins.clone();
    let make = move || ActixApp::new().configure(mount(state.clone(), shared_health.clone(), origins.clone()));
    let server = HttpServer::new(make)
        .disable_signals()
        .tcp_nodelay(true)
        .shutdown_timeout(settings.drain_timeout.as_secs())
        .bind(settings.listen)
        .map_err(|error| unusable("listen", settings.listen, &error))?;
    let address = server.addrs().first().copied().unwrap_or(settings.listen);
    admin::spawn(admin_listener, health.clone())?;
    let server = server.run();
    tokio::spawn(stop_on_signal(server.handle(), health, settings.drain_timeout)?);
    tracing::info!(%address, "listening");
    announce(address);
    server.await
}

/// Signals are listened for from the call on, not only once the task runs.
fn stop_on_signal(server: ServerHandle, health: Health, drain: Duration) -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: finishing what has begun");
        health.drain();
        std::thread::spawn(move || {
            std::thread::sleep(drain + LAST_RESORT);
            tracing::error!("some requests would not end: exiting without them");
            std::process::exit(1);
        });
        server.stop(true).await;
    })
}
