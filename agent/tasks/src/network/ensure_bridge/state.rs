use std::collections::BTreeMap;

use heeler_host::facts::{Nic, nics};
use heeler_host::guard::{self, GuardState};
use heeler_host::ip::{self, Interface, Route};
use heeler_host::{RunError, System, UnitState, bridge, ifupdown, networkd, whole_text};
use heeler_proto::EnsureBridge;

use super::files::Files;
use crate::engine::{Plan, in_full};

/// Starts NetworkManager at boot even when that is switched off, and waits for it.
const WAIT_ONLINE: &str = "NetworkManager-wait-online.service";
/// Gives every card an address by DHCP.
const DHCPCD: &str = "dhcpcd.service";

/// The units whose state the guard puts back.
pub(super) const UNITS: [&str; 4] = [networkd::NETWORK_MANAGER, WAIT_ONLINE, DHCPCD, ifupdown::UNIT];

/// The facts about a node's LAN.
pub(super) struct State {
    /// Why the node can have no bridge.
    pub(super) not_here: Option<String>,
    pub(super) nics: Vec<Nic>,
    pub(super) interfaces: BTreeMap<String, Interface>,
    pub(super) routes: Vec<Route>,
    pub(super) files: Files,
    pub(super) guard: GuardState,
    /// Whether the undo of the pending change has begun.
    pub(super) undoing: bool,
    pub(super) boot_id: String,
    /// Seconds since the boot.
    pub(super) up_s: u64,
    pub(super) timer: UnitState,
    pub(super) networking: UnitState,
    pub(super) network_manager: UnitState,
    pub(super) wait_online: UnitState,
    pub(super) dhcpcd: UnitState,
}

impl State {
    pub(super) async fn of(host: &dyn System) -> Result<Self, RunError> {
        let unseen = |error: String| RunError::File {
            path: guard::TIMER.to_owned(),
            source: std::io::Error::other(error),
        };
        let unit = async |name: &str| host.unit_state(name).await.map_err(|error| unseen(error.to_string()));
        let found = guard::state(host).await.map_err(|error| unseen(in_full(&error)))?;
        let undoing = match &found {
            GuardState::Armed(armed) => guard::is_undoing(host, &armed.id).await,
            _ => Ok(false),
        };
        let here = ifupdown::is_proxmoxs(host).await?;
        let uptime = whole_text(host, "/proc/uptime").await?.unwrap_or_default();
        Ok(Self {
            not_here: (!here).then(|| {
                "Proxmox's ifupdown2 is not installed on this node: a bridge is for a node that runs Proxmox".to_owned()
            }),
            nics: nics(host).await?,
            interfaces: ip::interfaces(host).await?,
            routes: ip::routes(host).await?,
            files: Files::read(host).await?,
            guard: found,
            undoing: undoing.map_err(|error| unseen(in_full(&error)))?,
            boot_id: guard::boot_id(host).await.map_err(|error| unseen(in_full(&error)))?,
            up_s: uptime.split('.').next().unwrap_or_default().parse().unwrap_or(u64::MAX),
            timer: unit(guard::TIMER).await?,
            networking: unit(ifupdown::UNIT).await?,
            network_manager: unit(networkd::NETWORK_MANAGER).await?,
            wait_online: unit(WAIT_ONLINE).await?,
            dhcpcd: unit(DHCPCD).await?,
        })
    }

    /// What each step plans on a node that can have no bridge.
    pub(super) fn not_here(&self) -> Option<Plan> {
        self.not_here.clone().map(Plan::NotApplicable)
    }

    /// Whether the bridge is as wanted, now and after the next boot.
    pub(super) fn holds(&self, task: &EnsureBridge) -> bool {
        self.is_live(task) && self.will_hold(task)
    }

    /// Whether the next boot makes the bridge as wanted, with the present card.
    fn will_hold(&self, task: &EnsureBridge) -> bool {
        let card = self.choose(task);
        self.is_written(task) && card.is_ok_and(|card| self.files.pin(task, &card.nic.mac))
    }

    /// Whether files and units make the bridge at boot, with the card that they name: it need not be there yet.
    pub(super) fn is_written(&self, task: &EnsureBridge) -> bool {
        let units = self.networking.enabled == "enabled" && self.others_on().next().is_none();
        units && self.files.say(task)
    }

    /// Whether the bridge has its address, its card and the default route now.
    pub(super) fn is_live(&self, task: &EnsureBridge) -> bool {
        let name = task.bridge.as_str();
        let (address, gateway) = (task.address.to_string(), task.gateway.to_string());
        let interface = self.interfaces.get(name);
        let route = |route: &Route| route.destination == "default" && route.device == name && route.gateway == gateway;
        interface.is_some_and(|one| one.addresses.contains(&address))
            && self.choose(task).is_ok_and(|card| card.bridged)
            && self.routes.iter().any(route)
    }

    /// The units that start at boot and would give the card an address of their own.
    pub(super) fn others_on(&self) -> impl Iterator<Item = &'static str> {
        let units = [
            (WAIT_ONLINE, &self.wait_online),
            (networkd::NETWORK_MANAGER, &self.network_manager),
            (DHCPCD, &self.dhcpcd),
        ];
        let on = units.into_iter().filter(|(_, unit)| unit.enabled == "enabled");
        on.map(|(name, _)| name)
    }

    /// The name by which the bridge's stanza has the card.
    pub(super) const fn port() -> &'static str {
        bridge::CARD
    }
}
