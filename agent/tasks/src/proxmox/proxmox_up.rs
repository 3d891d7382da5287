use std::net::IpAddr;
use std::time::Duration;

use heeler_host::pmxcfs::{self, PATH, Pmxcfs, UNIT};
use heeler_host::{RunError, System, UnitAction};

use crate::engine::{Op, Plan, Step, StepName};

/// pmxcfs opens its database and mounts it within seconds; on a slow card it takes longer.
const SETTLE: Duration = Duration::from_secs(60);

/// Proxmox's settings are there and can be written: every task that changes them waits for that.
pub(super) struct ProxmoxUp;

/// Why Proxmox cannot be asked for its settings.
pub(super) enum Silent {
    NotUp,
    NotInstalled,
}

impl Silent {
    /// Why now; None when Proxmox can be asked.
    pub(super) async fn now(host: &dyn System) -> Result<Option<Self>, RunError> {
        Ok(match pmxcfs::state(host).await? {
            Pmxcfs::Up | Pmxcfs::ReadOnly => None,
            Pmxcfs::NotInstalled => Some(Self::NotInstalled),
            _ => Some(Self::NotUp),
        })
    }

    /// The plan of a step that needs the settings.
    pub(super) fn plan(&self) -> Plan {
        match self {
            Self::NotUp => Plan::After(ProxmoxUp::NAME),
            Self::NotInstalled => not_installed(),
        }
    }
}

/// It blocks nothing: the node gets its pool and its schedules before somebody installs Proxmox.
fn not_installed() -> Plan {
    Plan::NotApplicable("Proxmox is not installed on this node; once it is: heeler apply".to_owned())
}

impl Step for ProxmoxUp {
    const NAME: StepName = "ProxmoxUp";
    type Observed = Pmxcfs;

    async fn observe(&self, host: &dyn System) -> Result<Pmxcfs, RunError> {
        pmxcfs::state(host).await
    }

    fn plan(&self, seen: &Pmxcfs) -> Plan {
        match seen {
            Pmxcfs::Up => Plan::Satisfied,
            Pmxcfs::Starting => retry(5, format!("Proxmox starts, and {PATH} is not there yet")),
            Pmxcfs::ReadOnly => retry(
                10,
                format!("{PATH} is read-only, because the Proxmox cluster has no quorum; on the node: pvecm status"),
            ),
            Pmxcfs::NotInstalled => not_installed(),
            Pmxcfs::Masked => Plan::blocked(
                format!("{UNIT} is masked on this node"),
                "somebody has switched Proxmox off, and Heeler does not switch it on again by itself",
                format!("on the node: systemctl unmask {UNIT}; then: heeler apply"),
            ),
            Pmxcfs::Stopped { left, .. } if !left.is_empty() => Plan::blocked(
                format!("{PATH} is not mounted, and holds {}", left.join(", ")),
                "Proxmox does not start over files in that folder, and Heeler does not know whose they are",
                format!(
                    "look at them on the node; if nobody needs them there: mv {PATH} /root/etc-pve-before; mkdir {PATH}; then: heeler apply"
                ),
            ),
            Pmxcfs::Stopped { name, addresses, .. } if addresses.iter().all(IpAddr::is_loopback) => retry(
                10,
                format!(
                    "Proxmox does not start as long as the name {name} has no address but loopback ones; set network.domain in heeler.toml, or correct /etc/hosts on the node; then: heeler apply"
                ),
            ),
            Pmxcfs::Stopped { .. } => Plan::Change {
                ops: vec![Op::Unit {
                    unit: UNIT.to_owned(),
                    action: UnitAction::Start,
                }],
                settle: SETTLE,
            },
        }
    }
}

fn retry(seconds: u64, why: String) -> Plan {
    Plan::Retry {
        after: Duration::from_secs(seconds),
        why,
    }
}
