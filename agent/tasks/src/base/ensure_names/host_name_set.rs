use std::path::Path;

use heeler_host::{RunError, System, hostname};
use heeler_proto::NodeName;

use crate::engine::{Op, Plan, Step, StepName};

/// Proxmox's database; there once Proxmox has started, under the name that the node had then.
const PROXMOX: &str = "/var/lib/pve-cluster/config.db";

/// The node has its host name, now and after a boot.
pub(super) struct HostNameSet {
    pub(super) name: NodeName,
}

pub(super) struct Observed {
    now: String,
    next: String,
    proxmox: bool,
}

impl Step for HostNameSet {
    const NAME: StepName = "HostNameSet";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let [now, next] = hostname::now_and_next(host).await?;
        let proxmox = host.mode(Path::new(PROXMOX)).await.is_ok();
        Ok(Observed { now, next, proxmox })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        let wanted = self.name.as_str();
        if seen.now == wanted && seen.next == wanted {
            return Plan::Satisfied;
        }
        // The name that differs is the one that Proxmox may have started under.
        let other = if seen.now == wanted { &seen.next } else { &seen.now };
        if seen.proxmox && seen.now != wanted {
            return Plan::blocked(
                format!("the host name is {other:?}, and Proxmox has started under it"),
                "Proxmox keeps a node's guests and keys under its name, and loses sight of them when the node is renamed",
                format!(
                    "give the node its own name in Heeler: heeler node remove {wanted}; then add it as {other}: heeler node add"
                ),
            );
        }
        Plan::change(vec![Op::Run(hostname::set_command(wanted))])
    }
}
