//! Runs the writing clients and tracks their progress.

use std::{path::Path, time::Duration};

use tokio::{sync::watch, task::JoinSet};

use crate::{
    client::{Address, Client},
    dice::Dice,
    ledger::Account,
    server::{command, printed},
};

/// Clients per organization.
const CLIENTS: usize = 4;
/// Maximum time in which no client gets an acknowledgement, on a busy machine.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The running clients.
pub struct Writers {
    tasks: JoinSet<Result<(), String>>,
    acknowledgements: watch::Receiver<u64>,
    stop: watch::Sender<bool>,
    subjects: Vec<String>,
}

impl Writers {
    /// Creates the organizations and starts clients of each that write to `servers`, which already run.
    pub async fn start(
        folder: &Path,
        organizations: &[&str],
        settings: &[String],
        servers: &[Address],
        dice: &mut Dice,
    ) -> Self {
        let (count, acknowledgements) = watch::channel(0);
        let (stop, stopped) = watch::channel(false);
        let (mut tasks, mut subjects) = (JoinSet::new(), Vec::new());
        for organization in organizations {
            let run = |arguments: &[&str]| {
                let mut all = arguments.to_vec();
                all.extend(settings.iter().map(String::as_str));
                printed(command(folder, all))
            };
            run(&["organization", "create", "--slug", organization, "--name", organization]);
            let mut clients = Vec::new();
            for number in 0..CLIENTS {
                let subject = format!("{organization}-{number}");
                let who = ["token", "--organization", organization, "--subject", &subject];
                let token = run(&[&who[..], &["--scope", "map:read map:write", "--ttl", "24h"]].concat());
                let (named, servers) = ((subject.as_str(), token.as_str()), servers.to_vec());
                clients.push(Client::new(folder, named, servers, dice.fork(), count.clone()));
                subjects.push(subject);
            }
            let shared = clients[0].prepare().await.unwrap();
            for client in clients {
                tasks.spawn(client.run(shared.clone(), stopped.clone()));
            }
        }
        Self { tasks, acknowledgements, stop, subjects }
    }

    /// Returns the number of acknowledged writes.
    pub fn acknowledged(&self) -> u64 {
        *self.acknowledgements.borrow()
    }

    /// Waits until `wanted` writes have been acknowledged in total.
    pub async fn reach(&mut self, wanted: u64) {
        while self.acknowledged() < wanted {
            tokio::select! {
                changed = tokio::time::timeout(TIMEOUT, self.acknowledgements.changed()) => {
                    assert!(changed.is_ok(), "nothing was acknowledged for a long time");
                }
                Some(ended) = self.tasks.join_next() => panic!("a client ended: {:?}", ended.unwrap()),
            }
        }
    }

    /// Waits until `more` further writes have been acknowledged.
    pub async fn go_on(&mut self, more: u64) {
        self.reach(self.acknowledged() + more).await;
    }

    /// Stops the clients, lets each finish its current call, and returns their ledgers.
    pub async fn finish(mut self, folder: &Path) -> Vec<Account> {
        self.stop.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap().unwrap();
        }
        self.subjects.iter().map(|subject| Account::read(folder, subject)).collect()
    }
}
