//! A TCP proxy that delays data and resets connections on request.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::{oneshot, watch},
};

use crate::{client::Address, dice::Dice};

/// The destination of a proxy.
#[derive(Clone)]
pub enum Target {
    /// The current address of a server.
    Server(Address),
    /// The socket of PostgreSQL.
    Socket(PathBuf),
}

type Links = Arc<Mutex<BTreeMap<u64, oneshot::Sender<()>>>>;

/// A proxy on its own port. Runs as long as its runtime.
pub struct Proxy {
    pub address: SocketAddr,
    links: Links,
}

impl Proxy {
    /// Starts a proxy that delays each chunk of data by at most `delay` milliseconds.
    pub async fn start(target: Target, delay: u64, mut dice: Dice) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, links) = (listener.local_addr().unwrap(), Links::default());
        let known = Arc::clone(&links);
        tokio::spawn(async move {
            for link in 0.. {
                let Ok((client, _)) = listener.accept().await else { return };
                let (cut, is_cut) = oneshot::channel();
                known.lock().unwrap().insert(link, cut);
                let (known, target, dice) = (Arc::clone(&known), target.clone(), dice.fork());
                tokio::spawn(async move {
                    carry(client, target, delay, dice, is_cut).await;
                    known.lock().unwrap().remove(&link);
                });
            }
        });
        Self { address, links }
    }

    /// Returns the address of the proxy as that of a server for a client.
    pub fn as_server(&self) -> Address {
        watch::Sender::new(Some(self.address)).subscribe()
    }

    /// Resets one of the connections. Returns whether there was one.
    pub fn reset(&self, dice: &mut Dice) -> bool {
        let mut links = self.links.lock().unwrap();
        let all: Vec<u64> = links.keys().copied().collect();
        let cut = dice.pick(&all).and_then(|link| links.remove(link));
        cut.is_some_and(|cut| cut.send(()).is_ok())
    }
}

/// Forwards data until one side closes its connection; then the other is closed, or both are reset after `cut`.
async fn carry(mut client: TcpStream, target: Target, delay: u64, mut dice: Dice, cut: oneshot::Receiver<()>) {
    drop(client.set_nodelay(true));
    match target {
        Target::Server(address) => {
            let address = *address.borrow();
            let Some(address) = address else { return drop(client.set_zero_linger()) };
            let Ok(mut server) = TcpStream::connect(address).await else { return drop(client.set_zero_linger()) };
            drop(server.set_nodelay(true));
            let is_cut = {
                let ((from, to), (back, forth)) = (client.split(), server.split());
                exchange((from, forth), (back, to), delay, &mut dice, cut).await
            };
            if is_cut {
                drop(server.set_zero_linger());
                drop(client.set_zero_linger());
            }
        }
        Target::Socket(path) => {
            let Ok(mut server) = UnixStream::connect(path).await else { return drop(client.set_zero_linger()) };
            let is_cut = {
                let ((from, to), (back, forth)) = (client.split(), server.split());
                exchange((from, forth), (back, to), delay, &mut dice, cut).await
            };
            if is_cut {
                drop(client.set_zero_linger());
            }
        }
    }
}

/// Forwards data in both directions until one ends or `cut` fires. Returns whether `cut` fired.
async fn exchange(
    forth: (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    back: (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    delay: u64,
    dice: &mut Dice,
    cut: oneshot::Receiver<()>,
) -> bool {
    let (of_forth, of_back) = (dice.fork(), dice.fork());
    tokio::select! {
        _ = pump(forth.0, forth.1, delay, of_forth) => false,
        _ = pump(back.0, back.1, delay, of_back) => false,
        _ = cut => true,
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    delay: u64,
    mut dice: Dice,
) -> io::Result<()> {
    let mut buffer = vec![0; 16_384];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        dice.moment(delay).await;
        to.write_all(&buffer[..length]).await?;
    }
}
