//! The state of this node's agent, from its files, systemd and ZFS. Only reads; needs neither the coordinator nor the
//! running agent.

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

/// The state of this node's agent.
#[derive(Debug, Clone, Serialize)]
pub struct NodeStatus {
    /// Version of this program, which may be newer than the running agent.
    pub version: &'static str,
    /// The node's name; empty before first contact.
    pub node: String,
    /// The coordinators' addresses, `host:port`.
    pub coordinators: Vec<String>,
    /// systemd's ActiveState of the service: active, inactive, failed…
    pub service: String,
    /// Whether the service starts at boot.
    pub enabled: bool,
    /// The running agent's own status text: its session, or why it has none.
    pub says: String,
    /// End of the certificate's validity, Unix milliseconds; 0 without a certificate.
    pub certificate_until_ms: u64,
    /// The coordinator's time at the start of the last session, Unix milliseconds; 0 when there was none.
    pub coordinator_ms: u64,
    /// The later of the machine's clock and the coordinator's last time, Unix milliseconds.
    pub now_ms: u64,
    /// Whether the clock follows a time server; None when unknown.
    pub clock_synchronised: Option<bool>,
    /// The running task; None when none is.
    pub in_hand: Option<Task>,
    /// The task that was accepted last, ended or not; None when there was none.
    pub last: Option<Task>,
    /// Number of events that the coordinator has not stored.
    pub untold: usize,
    /// The pause in force; None when the node accepts tasks.
    pub paused: Option<Hold>,
    /// The schedule of snapshots and scrubs.
    pub schedule: Seen,
    /// Whether a release was begun and has not ended.
    pub releasing: bool,
    /// The imported pools whose status can be read.
    pub pools: Vec<PoolFact>,
    /// What a person should look at, each with what to type.
    pub faults: Vec<String>,
}

/// A task in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    /// The task's id.
    pub id: String,
    /// The kind, such as "ensure pool".
    pub kind: &'static str,
    /// The revision of heeler.toml that it comes from.
    pub revision: u64,
}

/// The fault of a machine that has no configuration.
pub const NOT_ADDED: &str = "Not added. On the coordinator: heeler node add NAME";

/// Collects the state. What cannot be read becomes a fault.
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
            Err(crate::ConfigError::Read(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                self.faults.push(NOT_ADDED.to_owned());
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

/// Whether this process may read the agent's folder, which belongs to root.
pub async fn may_look(host: &dyn System) -> bool {
    !matches!(host.list(Path::new("/var/lib/heeler-agent")).await, Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied)
}
