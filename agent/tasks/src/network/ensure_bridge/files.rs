use std::path::Path;

use heeler_host::bridge::{self, Stanza, stanzas_of};
use heeler_host::{RunError, System, ifupdown, link, whole_text};
use heeler_proto::EnsureBridge;

use super::state::State;
use crate::engine::{Blocked, Edit, Op};

/// Name of the marked block in `/etc/network/interfaces`.
const BLOCK: &str = "bridge";
const FOLDER: &str = "/etc/network/interfaces.d";
/// The most files of [`FOLDER`] that are read.
const MOST: usize = 64;

/// The present text of the files; None for one that does not exist.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    pub(super) interfaces: Option<String>,
    /// Changes that wait in Proxmox.
    pub(super) staged: Option<String>,
    card: Option<String>,
    /// Path and text of the files that ifupdown reads, too.
    more: Vec<(String, String)>,
}

impl Files {
    pub(super) async fn read(host: &dyn System) -> Result<Self, RunError> {
        let names = host.list(Path::new(FOLDER)).await.unwrap_or_default();
        let mut more = Vec::new();
        for name in names.iter().take(MOST) {
            let path = format!("{FOLDER}/{name}");
            let text = whole_text(host, &path).await?.unwrap_or_default();
            more.push((path, text));
        }
        Ok(Self {
            interfaces: whole_text(host, ifupdown::PATH).await?,
            staged: whole_text(host, ifupdown::STAGED).await?,
            card: whole_text(host, bridge::CARD_PATH).await?,
            more,
        })
    }

    /// Whether they make the bridge at boot. One that somebody else wrote counts as it is.
    pub(super) fn say(&self, task: &EnsureBridge) -> bool {
        let Some(stanza) = self.said(task) else { return false };
        says(&stanza, task) && (!stanza.own || self.pinned().is_some() && stanza.ports() == [State::port()])
    }

    /// Whether the card with this hardware address is the one in Heeler's bridge.
    pub(super) fn pin(&self, task: &EnsureBridge, mac: &str) -> bool {
        self.adopted(task) || self.pinned().as_deref() == Some(mac)
    }

    fn pinned(&self) -> Option<String> {
        self.card.as_deref().and_then(link::pinned)
    }

    /// The stanza of the bridge.
    fn said(&self, task: &EnsureBridge) -> Option<Stanza> {
        let all = stanzas_of(self.interfaces.as_deref()?);
        all.into_iter().find(|one| one.name == task.bridge.as_str())
    }

    /// Whether the bridge is written by somebody else as it is wanted.
    pub(super) fn adopted(&self, task: &EnsureBridge) -> bool {
        self.said(task).is_some_and(|stanza| !stanza.own && says(&stanza, task))
    }

    /// The ops that write the files that differ.
    pub(super) fn ops(&self, task: &EnsureBridge, mac: &str) -> Vec<Op> {
        if self.adopted(task) {
            return Vec::new();
        }
        let mut ops = Vec::new();
        if self.pinned().as_deref() != Some(mac) {
            let pin = Op::Write(bridge::card_file(mac));
            ops.push(pin.explained(format!("name the card {mac} {} from the next boot on", State::port())));
        }
        if !self
            .said(task)
            .is_some_and(|stanza| says(&stanza, task) && stanza.ports() == [State::port()])
        {
            let (address, gateway) = (task.address.to_string(), task.gateway.to_string());
            let lines = bridge::stanzas(task.bridge.as_str(), &address, &gateway);
            let before = self.interfaces.as_deref().map(str::as_bytes);
            ops.push(Op::Edit(Edit::of(ifupdown::PATH, BLOCK, lines, before)));
        }
        ops
    }

    /// What others wrote that contradicts the bridge. `card` is the present name of its card.
    pub(super) fn contradiction(&self, task: &EnsureBridge, card: &str) -> Option<Blocked> {
        if self.adopted(task) {
            return None;
        }
        let own = [(ifupdown::PATH.to_owned(), self.interfaces.clone().unwrap_or_default())];
        for (path, text) in own.iter().chain(&self.more) {
            for stanza in stanzas_of(text).iter().filter(|stanza| !stanza.own) {
                let of_card = |name: &str| [card, State::port()].contains(&name);
                let what = if stanza.name == task.bridge.as_str() {
                    "gives that bridge another address, router or card"
                } else if of_card(&stanza.name) && !stanza.is_empty() {
                    "configures the card, which is to be in the bridge alone"
                } else if stanza.ports().into_iter().any(of_card) {
                    "has the card in another bridge"
                } else {
                    continue;
                };
                return Some(Blocked::new(
                    format!("{path}:{}: iface {} {what}", stanza.line, stanza.name),
                    "Heeler did not write that, and does not overwrite it",
                    format!(
                        "if {} is right, take that stanza out of the file, do not reboot before Heeler has made the \
                         bridge, and type: heeler apply",
                        task.bridge
                    ),
                ));
            }
        }
        None
    }

    /// Whether the staged file would change nothing that anybody wrote.
    pub(super) fn staged_is_empty(&self) -> bool {
        let Some(staged) = &self.staged else { return true };
        self.staged == self.interfaces || stanzas_of(staged).iter().all(Stanza::is_empty)
    }

    /// Whether the staged file has the same bridge.
    pub(super) fn staged_holds(&self, task: &EnsureBridge) -> bool {
        let all = stanzas_of(self.staged.as_deref().unwrap_or_default());
        let ports = self.said(task).map(|one| one.ports().join(" "));
        let found = all.iter().find(|one| one.name == task.bridge.as_str());
        found.is_some_and(|one| says(one, task) && Some(one.ports().join(" ")) == ports)
    }
}

fn says(stanza: &Stanza, task: &EnsureBridge) -> bool {
    let gateway = task.gateway.to_string();
    stanza.method == "static"
        && stanza.address() == Some(task.address.to_string())
        && stanza.option("gateway") == Some(gateway.as_str())
        && !stanza.ports().is_empty()
}
