//! How the agent on this node stands, from what it keeps on the disk and what systemd and ZFS say. Reads only, and needs
//! neither the coordinator nor the running agent.

use std::path::Path;

use heeler_host::facts::PoolFact;
use heeler_host::{System, systemctl, timedatectl};
use heeler_tasks::engine::in_full;
use heeler_tasks::imported_pools;
use serde::Serialize;

use crate::clock::Clock;
use crate::config::Config;
use crate::hold::{self, Hold};
use crate::identity::certificate_on_disk;
use crate::journal::remembered;
use crate::schedule::{Seen, seen};
use crate::{VERSION, ledger, release};

const UNIT: &str = "heeler-agent.service";

/// All of it.
#[derive(Debug, Clone, Serialize)]
pub struct NodeStatus {
    /// Of this program, which may be newer than the one that runs.
    pub version: &'static str,
    /// Empty when first contact has not been here.
    pub node: String,
    /// Which coordinators it dials.
    pub coordinators: Vec<String>,
    /// systemd's word: active, inactive, failed…
    pub service: String,
    /// Whether it starts at boot.
    pub enabled: bool,
    /// What the running agent says of itself: its session, or why there is none.
    pub says: String,
    /// Unix milliseconds; 0 without a certificate.
    pub certificate_until_ms: u64,
    /// The coordinator's time when a session last began, Unix milliseconds; 0: never.
    pub coordinator_ms: u64,
    /// Unix milliseconds, the later of the two clocks.
    pub now_ms: u64,
    /// Whether the clock follows a time server; None when it cannot be asked.
    pub clock_synchronised: Option<bool>,
    /// The task that is not over.
    pub in_hand: Option<Task>,
    /// The one that was accepted last, over or not.
    pub last: Option<Task>,
    /// Events that the coordinator has not heard of yet.
    pub untold: usize,
    /// None: it takes tasks.
    pub paused: Option<Hold>,
    /// Snapshots and scrubs.
    pub schedule: Seen,
    /// A release was begun and did not end.
    pub releasing: bool,
    /// Imported ones.
    pub pools: Vec<PoolFact>,
    /// What a person should look at, each with what to type.
    pub faults: Vec<String>,
}

/// A task, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub kind: &'static str,
    /// The revision of heeler.toml that it carries out.
    pub revision: u64,
}

/// Looks. What cannot be read is a fault in it, not an error.
pub async fn look(host: &std::sync::Arc<dyn System>) -> NodeStatus {
    let mut faults = Vec::new();
    let system = host.as_ref();
    let config = Config::read(system).await;
    let coordinator_ms = match Clock::open(host.clone()).await {
        Ok(clock) => clock.coordinator_ms(),
        Err(error) => {
            faults.push(format!("the coordinator's last time cannot be read: {error}"));
            0
        }
    };
    let now_ms = system.now_ms().max(coordinator_ms);
    let unit = system.unit_state(UNIT).await.unwrap_or_default();
    let mut status = NodeStatus {
        version: VERSION,
        node: String::new(),
        coordinators: Vec::new(),
        service: unit.active,
        enabled: unit.enabled == "enabled",
        says: systemctl::status_text(system, UNIT).await.unwrap_or_default(),
        certificate_until_ms: 0,
        coordinator_ms,
        now_ms,
        clock_synchronised: timedatectl::synchronised(system).await.ok(),
        in_hand: None,
        last: None,
        untold: 0,
        paused: None,
        schedule: seen(system, &mut faults).await,
        releasing: release::is_begun(system).await,
        pools: Vec::new(),
        faults,
    };
    status.read(system, config).await;
    status
}

impl NodeStatus {
    async fn read(&mut self, host: &dyn System, config: Result<Config, crate::ConfigError>) {
        match config {
            Ok(config) => {
                self.node = config.node.to_string();
                self.coordinators = config.coordinators;
            }
            Err(error) => self.fault(&error),
        }
        match certificate_on_disk(host).await {
            Ok(until_ms) => self.certificate_until_ms = until_ms.unwrap_or_default(),
            Err(error) => self.fault(&error),
        }
        match remembered(host).await {
            Ok(state) => {
                self.untold = state.events.len();
                self.in_hand = state.in_hand.as_ref().map(Task::of);
            }
            Err(error) => self.fault(&error),
        }
        match ledger::read(host).await {
            Ok(last) => self.last = last.as_ref().map(Task::of),
            Err(error) => self.fault(&error),
        }
        match hold::read(host, self.now_ms).await {
            Ok(paused) => self.paused = paused,
            Err(error) => self.faults.push(format!("{} cannot be read: {error}", hold::PATH)),
        }
        match imported_pools(host).await {
            Ok(pools) => self.pools = pools,
            Err(error) => self.fault(&error),
        }
        self.judge();
    }

    fn fault(&mut self, error: &dyn std::error::Error) {
        self.faults.push(in_full(error));
    }

    fn judge(&mut self) {
        let known = !self.node.is_empty();
        if self.releasing {
            self.faults
                .push("a release was started and did not finish: heeler-agent release".to_owned());
        } else if known && self.service != "active" {
            self.faults.push(format!(
                "{UNIT} is {}: systemctl restart {UNIT}; its log: journalctl -u {UNIT} -n 20",
                self.service
            ));
        }
        if known && self.certificate_until_ms <= self.now_ms {
            let text = match self.certificate_until_ms {
                0 => "this node was never enrolled",
                _ => "its certificate has expired",
            };
            self.faults
                .push(format!("{text}: at the coordinator: heeler node add {}", self.node));
        }
        for pool in &self.pools {
            if pool.state != "ONLINE" || pool.errors > 0 {
                let text = format!(
                    "pool {} is {}, {} data errors: zpool status -v {}",
                    pool.name, pool.state, pool.errors, pool.name
                );
                self.faults.push(text);
            }
        }
        if self.clock_synchronised == Some(false) {
            self.faults
                .push("the clock is not synchronised: timedatectl".to_owned());
        }
    }
}

impl Task {
    fn of(assignment: &crate::assignment::Assignment) -> Self {
        Self {
            id: assignment.task_id.to_string(),
            kind: assignment.task.kind(),
            revision: assignment.revision,
        }
    }
}

/// Whether the program was started as somebody who may look: the agent's folder is root's alone.
pub async fn may_look(host: &dyn System) -> bool {
    !matches!(host.list(Path::new("/var/lib/heeler-agent")).await, Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied)
}
