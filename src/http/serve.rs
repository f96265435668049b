//! Runs the server until it is told to stop, and lets it finish.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    num::NonZero,
    thread,
    time::Duration,
};

use actix_web::{App as ActixApp, HttpServer, dev::ServerHandle, web};
use tokio::{
    net::TcpSocket,
    signal::unix::{SignalKind, signal},
};

use super::{
    admin,
    app::{App, State, mount},
    health::Health,
};
use crate::config::HttpSettings;

/// How long the log has for the line that says why the process is ended by force.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// How many connections may wait to be accepted.
const WAITING: u32 = 2_048;

/// The addresses to serve on: taken before anything else is begun, and not yet open to anybody.
#[derive(Debug)]
pub struct Sockets {
    api: TcpSocket,
    admin: TcpSocket,
}

impl Sockets {
    /// Takes the addresses of the settings.
    pub fn take(settings: &HttpSettings) -> io::Result<Self> {
        // That one first: unless it is named, the other is the port after it.
        let api = bind("listen", settings.listen)?;
        Ok(Self { api, admin: bind("admin-listen", settings.admin_listen)? })
    }
}

fn bind(setting: &str, address: SocketAddr) -> io::Result<TcpSocket> {
    let bound = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // Or a server that was just stopped keeps the next one out for a while.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    };
    bound().map_err(|error| bind_error(setting, address, &error))
}

fn listen(setting: &str, address: SocketAddr, socket: TcpSocket) -> io::Result<TcpListener> {
    let listener = socket.listen(WAITING).and_then(tokio::net::TcpListener::into_std);
    listener.map_err(|error| bind_error(setting, address, &error))
}

fn bind_error(setting: &str, address: SocketAddr, error: &io::Error) -> io::Error {
    let reason = match error.kind() {
        io::ErrorKind::AddrInUse => format!("is in use by another program: choose another port with --{setting}"),
        io::ErrorKind::PermissionDenied => {
            format!("requires privileges: choose a port above 1023 with --{setting}")
        }
        io::ErrorKind::AddrNotAvailable => format!("is not an address of this machine: choose one with --{setting}"),
        _ => format!("cannot be used: {error}"),
    };
    io::Error::new(error.kind(), format!("--{setting} {address} {reason}"))
}

/// Serves until SIGTERM or SIGINT, then finishes what has begun. `announce` is told the address, which the system
/// chooses where the settings say port 0.
pub async fn serve(
    app: App,
    settings: &HttpSettings,
    sockets: Sockets,
    announce: impl FnOnce(SocketAddr),
) -> io::Result<()> {
    let health = Health::new(app.store.clone());
    tokio::spawn(app.gate.lookout.clone().keep_polling());
    let admin_listener = listen("admin-listen", settings.admin_listen, sockets.admin)?;
    let listener = listen("listen", settings.listen, sockets.api)?;
    let address = listener.local_addr().unwrap_or(settings.listen);
    let state = web::Data::new(State::new(app, settings));
    let shared_health = web::Data::new(health.clone());
    let origins = settings.cors_origins.clone();
    let make = move || {
        let store = state.app.store.for_worker();
        ActixApp::new().configure(mount(state.clone(), store, shared_health.clone(), origins.clone()))
    };
    let server = HttpServer::new(make)
        .workers(threads())
        .disable_signals()
        .tcp_nodelay(true)
        .shutdown_timeout(settings.drain_timeout.saturating_sub(settings.drain_delay).as_secs())
        .listen(listener)?;
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
        tracing::info!("shutting down: waiting for open requests");
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
        thread::spawn(|| tracing::error!("exiting by force: some requests did not finish"));
        thread::sleep(LAST_WORDS);
        std::process::exit(1);
    });
}
