//! `[system]`: the operating system of a node.

use heeler_proto::{EnsureBoot, EnsureTime, Journal, PageSize, Pcie, Spec as _, Swap, TimeServer};

use super::reader::{Located, Table};
use super::{Place, boot, values};

/// `[system]`, of the fleet or of one node. What is absent stays as the node has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemSettings {
    /// The time servers that the clock follows: at least one, none twice.
    pub time_servers: Option<Located<EnsureTime>>,
    /// Whether damaged and unfinished packages are repaired.
    pub repair: Option<Located<bool>>,
    /// The kernel's page size.
    pub pages: Option<Located<PageSize>>,
    /// Whether the kernel counts the memory of containers.
    pub containers: Option<Located<bool>>,
    /// The speed of the PCIe connector of a Raspberry Pi 5.
    pub pcie: Option<Located<Pcie>>,
    /// Whether the node swaps.
    pub swap: Option<Located<Swap>>,
    /// Where systemd keeps its journal.
    pub journal: Option<Located<Journal>>,
}

impl SystemSettings {
    /// The position of a key; None when it is absent or not known.
    pub(crate) fn place(&self, key: &str) -> Option<Place> {
        match key {
            "time_servers" => Some(self.time_servers.as_ref()?.place),
            "repair" => Some(self.repair.as_ref()?.place),
            "pages" => Some(self.pages.as_ref()?.place),
            "containers" => Some(self.containers.as_ref()?.place),
            "pcie" => Some(self.pcie.as_ref()?.place),
            "swap" => Some(self.swap.as_ref()?.place),
            "journal" => Some(self.journal.as_ref()?.place),
            _ => None,
        }
    }

    /// What is wanted of the boot; None when nothing is. A key that is absent here is taken from the fleet's.
    pub(super) fn boot(&self, fleet: &Self) -> Option<EnsureBoot> {
        let boot = EnsureBoot {
            pages: chosen(&self.pages, &fleet.pages),
            containers: chosen(&self.containers, &fleet.containers),
            pcie: chosen(&self.pcie, &fleet.pcie),
            swap: chosen(&self.swap, &fleet.swap),
            journal: chosen(&self.journal, &fleet.journal),
        };
        (boot != EnsureBoot::default()).then_some(boot)
    }
}

fn chosen<T: Copy>(own: &Option<Located<T>>, fleet: &Option<Located<T>>) -> Option<T> {
    let chosen = own.as_ref().or(fleet.as_ref());
    chosen.map(|chosen| chosen.value)
}

pub(super) fn system(mut table: Table<'_, '_>) -> SystemSettings {
    let system = SystemSettings {
        time_servers: time_servers(&mut table),
        repair: table.switch("repair"),
        pages: table.text("pages", boot::pages),
        containers: table.switch("containers"),
        pcie: table.text("pcie", boot::pcie),
        swap: table.text("swap", boot::swap),
        journal: table.text("journal", boot::journal),
    };
    table.finish();
    system
}

fn time_servers(table: &mut Table<'_, '_>) -> Option<Located<EnsureTime>> {
    let list = table.list("time_servers", values::time_server)?;
    let servers: Vec<TimeServer> = list.value.iter().map(|server| server.value.clone()).collect();
    let value = EnsureTime { servers };
    let place = list.place;
    match value.check() {
        Ok(()) => Some(Located { value, place }),
        Err(invalid) => {
            let message = format!("time_servers: {}", invalid.problem);
            let hint = "write each time server once, such as time_servers = [\"10.10.80.1\"]";
            table.error_at(&Some(list), &message, hint);
            None
        }
    }
}
