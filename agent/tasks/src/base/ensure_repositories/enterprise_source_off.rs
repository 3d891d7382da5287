use std::path::Path;

use heeler_host::{File, RunError, System, apt};

use crate::engine::{Op, Plan, Step, StepName};

/// Proxmox's packages bring this source, which answers `401 Unauthorized` to a node without a subscription: then no list
/// of any source can be fetched without an error.
const HOST: &str = "enterprise.proxmox.com";
const NAMES: [&str; 2] = ["pve-enterprise.sources", "ceph.sources"];

/// The sources for subscribers that Proxmox's packages bring are switched off. A file that is there already is kept when
/// the package is installed, so the first one is written before that.
pub(super) struct EnterpriseSourceOff;

impl Step for EnterpriseSourceOff {
    const NAME: StepName = "EnterpriseSourceOff";
    /// Path and content of each file that is there.
    type Observed = Vec<(String, Option<String>)>;

    async fn observe(&self, host: &dyn System) -> Result<Self::Observed, RunError> {
        let mut all = Vec::new();
        for name in NAMES {
            let path = format!("{}/{name}", apt::PARTS);
            let text = heeler_host::whole_text(host, &path).await?;
            all.push((path, text));
        }
        Ok(all)
    }

    fn plan(&self, seen: &Self::Observed) -> Plan {
        let mut ops = Vec::new();
        for (path, text) in seen {
            let off = match text {
                Some(text) => apt::switched_off(text, HOST),
                None if path.ends_with(NAMES[0]) => Some(first()),
                None => None,
            };
            if let Some(off) = off {
                let write = Op::Write(File::text(Path::new(path), off));
                ops.push(write.explained(format!("switch the source {HOST} off, which needs a subscription")));
            }
        }
        match ops.is_empty() {
            true => Plan::Satisfied,
            false => Plan::change(ops),
        }
    }
}

fn first() -> String {
    format!(
        "Types: deb\nURIs: https://{HOST}/debian/pve\nSuites: trixie\nComponents: pve-enterprise\n\
         Signed-By: /usr/share/keyrings/proxmox-archive-keyring.gpg\nEnabled: no\n"
    )
}
