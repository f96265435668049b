//! Runs the server until it is told to stop, then drains it.

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

/// Time for the log to write the reason of a forced exit.
const LOG_FLUSH_TIME: Duration = Duration::from_millis(100);

/// The backlog: the maximum number of connections that wait to be accepted.
const WAITING: u32 = 2_048;

/// The bound sockets. They are bound before anything else starts, and do not listen yet.
#[derive(Debug)]
pub struct Sockets {
    api: TcpSocket,
    admin: TcpSocket,
}

impl Sockets {
    /// Binds the addresses of the settings.
    pub fn take(settings: &HttpSettings) -> io::Result<Self> {
        // Bind this one first: by default, the admin port is the one after it.
        let api = bind("listen", settings.listen)?;
        Ok(Self { api, admin: bind("admin-listen", settings.admin_listen)? })
    }
}

fn bind(setting: &str, address: SocketAddr) -> io::Result<TcpSocket> {
    let bound = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // Otherwise a server that has just stopped blocks the address for a while.
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

/// Serves until SIGTERM or SIGINT, then finishes the requests in progress. Calls `announce` with the address, whose
/// port the system chooses if the settings specify port 0.
pub async fn serve(
    app: App,
    settings: &HttpSettings,
    sockets: Sockets,
    announce: impl FnOnce(SocketAddr),
) -> io::Result<()> {
    let health = Health::new(app.store.clone());
    tokio::spawn(app.gate.revocation_cache.clone().keep_polling());
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

/// Returns the number of worker threads.
pub fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Installs the signal handlers at the call, not only when the returned future is first polled.
///
/// After SIGTERM the server accepts connections for the drain delay, until load balancers have seen that it is not
/// ready: connections still in the backlog at shutdown would be reset. After SIGINT, sent from a terminal, there is no
/// delay.
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

/// Ends the process after `limit`: a worker that never yields cannot be stopped otherwise.
fn end_after(limit: Duration) {
    thread::spawn(move || {
        thread::sleep(limit);
        // In a separate thread, since writing to the log blocks if nothing reads it.
        thread::spawn(|| tracing::error!("exiting by force: some requests did not finish"));
        thread::sleep(LOG_FLUSH_TIME);
        std::process::exit(1);
    });
}
