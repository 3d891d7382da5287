use std::path::Path;

use heeler_host::hosts::{self, Line};
use heeler_host::{RunError, System};
use heeler_proto::EnsureNames;

use crate::engine::{Edit, Op, Plan, Step, StepName};

/// Name of the marked block in /etc/hosts.
const BLOCK: &str = "names";

/// /etc/hosts has the name and LAN address of every node of the cluster, and no loopback address for this one's name.
pub(super) struct HostsListed {
    pub(super) task: EnsureNames,
}

impl Step for HostsListed {
    const NAME: StepName = "HostsListed";
    type Observed = Option<Vec<u8>>;

    async fn observe(&self, host: &dyn System) -> Result<Option<Vec<u8>>, RunError> {
        let path = Path::new(hosts::PATH);
        let content = heeler_host::content(host, path).await;
        content.map_err(|source| RunError::file(path, source))
    }

    fn plan(&self, before: &Option<Vec<u8>>) -> Plan {
        let before = before.as_deref();
        let text = String::from_utf8_lossy(before.unwrap_or_default());
        let block = self.block();
        let others = || hosts::lines(&text).filter(|line| !block.lines().any(|ours| ours == line.text));
        if let Some(line) = others().find(|line| self.contradicts(line)) {
            return Plan::blocked(
                format!("{} has the line {:?}", hosts::PATH, line.text),
                "the first line with a name decides, and heeler.toml says otherwise",
                "remove that line on the node, or correct heeler.toml; then: heeler apply",
            );
        }
        let gone = others().filter(|line| self.is_own_loopback(line));
        let edit = Edit::of(hosts::PATH, BLOCK, block.as_str(), before)
            .without(gone.map(|line| line.text.to_owned()).collect());
        match edit.spliced(before) {
            Ok(after) if Some(after.as_bytes()) == before => Plan::Satisfied,
            Ok(_) => Plan::change(vec![Op::Edit(edit)]),
            Err(error) => Plan::blocked(
                error.to_string(),
                "Heeler writes into text alone, between its own markers",
                "",
            ),
        }
    }
}

impl HostsListed {
    /// The canonical name of a line is its first: `hostname --fqdn` prints it, and Proxmox's certificates carry it.
    fn block(&self) -> String {
        let line =
            |host: &heeler_proto::Host| format!("{} {} {}\n", host.address, self.task.full(&host.name), host.name);
        self.task.hosts.iter().map(line).collect()
    }

    fn is_own(&self, name: &str) -> bool {
        name.split('.').next() == Some(self.task.name.as_str())
    }

    /// A line such as Debian's `127.0.1.1 NAME`. It names this node alone, so it can go.
    fn is_own_loopback(&self, line: &Line<'_>) -> bool {
        line.address.is_loopback() && line.names.iter().all(|name| self.is_own(name))
    }

    /// Whether the line gives a node of the cluster another address, or this node another canonical name.
    fn contradicts(&self, line: &Line<'_>) -> bool {
        if self.is_own_loopback(line) {
            return false;
        }
        if line.address.is_loopback() && line.names.iter().any(|name| self.is_own(name)) {
            return true;
        }
        self.task.hosts.iter().any(|host| {
            let full = self.task.full(&host.name);
            let named = line
                .names
                .iter()
                .any(|name| *name == full || *name == host.name.as_str());
            let canonical = host.name != self.task.name || line.names.first() == Some(&full.as_str());
            named && (line.address != host.address || !canonical)
        })
    }
}
