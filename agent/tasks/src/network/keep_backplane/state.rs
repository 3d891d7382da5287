use heeler_host::claim::{Claim, claims};
use heeler_host::facts::Nic;
use heeler_host::guard::{self, GuardState, Written};
use heeler_host::{RunError, System, UnitState, ifupdown, link, netplan, networkd};
use heeler_proto::{KeepBackplane, Renderer};

use super::card::{Cards, cards};
use super::files::Files;
use crate::engine::in_full;

/// The facts about a node's backplane.
pub(super) struct State {
    pub(super) cards: Cards,
    pub(super) files: Files,
    pub(super) written: Written,
    pub(super) guard: GuardState,
    pub(super) timer: UnitState,
    pub(super) network_manager: bool,
    /// Other files that configure the card; empty when the card is not chosen.
    pub(super) claims: Vec<Claim>,
    /// A missing program or unit, and the command that installs or unmasks it.
    pub(super) missing: Option<(&'static str, &'static str)>,
}

impl State {
    pub(super) async fn of(host: &dyn System, task: &KeepBackplane) -> Result<Self, RunError> {
        let unseen = |error: String| RunError::File {
            path: guard::TIMER.to_owned(),
            source: std::io::Error::other(error),
        };
        let proxmox = task.renderer == Renderer::Auto && ifupdown::is_proxmoxs(host).await?;
        let guard_state = guard::state(host).await;
        let timer = host.unit_state(guard::TIMER).await;
        let written = if proxmox { Written::Interfaces } else { Written::Netplan };
        let cards = cards(host).await?;
        Ok(Self {
            claims: match cards.choose(task) {
                Ok(nic) => claims(host, nic, written).await?,
                Err(_) => Vec::new(),
            },
            missing: match written {
                Written::Netplan => netplan::missing(host).await,
                Written::Interfaces => None,
            },
            cards,
            files: Files::read(host).await?,
            written,
            guard: guard_state.map_err(|error| unseen(in_full(&error)))?,
            network_manager: networkd::beside_network_manager(host).await,
            timer: timer.map_err(|error| unseen(error.to_string()))?,
        })
    }

    /// Whether the card is as wanted, now and after the next boot.
    pub(super) fn holds(&self, task: &KeepBackplane) -> bool {
        self.cards
            .choose(task)
            .is_ok_and(|nic| is_up(nic, task) && self.files.ops(task, &nic.mac, self.written).0.is_empty())
    }
}

fn is_up(nic: &Nic, task: &KeepBackplane) -> bool {
    nic.name == link::BACKPLANE && nic.addresses.contains(&task.address.to_string())
}
