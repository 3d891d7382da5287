use std::io;
use std::path::Path;

use heeler_host::firmware::page_bytes;
use heeler_host::{RunError, System};

use super::proxmox_up::Silent;
use crate::engine::{Plan, Step, StepName};

/// The processor's help for virtual machines.
const KVM: &str = "/dev/kvm";
/// What Proxmox for arm64 is built for.
const PAGE: u64 = 4096;

/// Virtual machines can run on the node. It only tells what is missing: people, groups and storages work without it.
pub(super) struct GuestsCanRun;

pub(super) enum Guests {
    /// Proxmox cannot be asked.
    Silent(Silent),
    Seen {
        page_bytes: u64,
        kvm: bool,
    },
}

impl Step for GuestsCanRun {
    const NAME: StepName = "GuestsCanRun";
    type Observed = Guests;

    async fn observe(&self, host: &dyn System) -> Result<Guests, RunError> {
        if let Some(silent) = Silent::now(host).await? {
            return Ok(Guests::Silent(silent));
        }
        let kvm = match host.mode(Path::new(KVM)).await {
            Ok(_) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(RunError::file(Path::new(KVM), error)),
        };
        let page_bytes = page_bytes(host).await?;
        Ok(Guests::Seen { page_bytes, kvm })
    }

    fn plan(&self, seen: &Guests) -> Plan {
        match seen {
            Guests::Silent(silent) => silent.plan(),
            Guests::Seen { page_bytes, .. } if *page_bytes != PAGE => Plan::Told(format!(
                "the kernel has pages of {} KiB, and Proxmox for arm64 needs 4 KiB: its virtual machines may not start; \
                 in heeler.toml: [system] pages = \"4KiB\"",
                page_bytes >> 10
            )),
            Guests::Seen { kvm: false, .. } => Plan::Told(format!(
                "{KVM} is missing, so virtual machines do not start on this node; on the node: dmesg | grep -i kvm"
            )),
            Guests::Seen { .. } => Plan::Satisfied,
        }
    }
}
