use heeler_host::facts::{Nic, nics};
use heeler_host::{RunError, System, link};
use heeler_proto::KeepBackplane;

use crate::engine::{Blocked, Key, Plan};

pub(super) struct Cards {
    pub(super) nics: Vec<Nic>,
    /// Hardware address of the card in Heeler's .link file.
    pub(super) pinned: Option<String>,
}

pub(super) async fn cards(host: &dyn System) -> Result<Cards, RunError> {
    let text = heeler_host::whole_text(host, link::PATH).await?;
    Ok(Cards {
        nics: nics(host).await?,
        pinned: text.as_deref().and_then(link::pinned),
    })
}

impl Cards {
    /// The card of the task: never one over which the node is reached, and never a guess.
    pub(super) fn choose(&self, task: &KeepBackplane) -> Result<&Nic, Blocked> {
        if let Some(mac) = &task.mac {
            return self.named(mac.as_str(), "heeler.toml names");
        }
        if let Some(mac) = &self.pinned {
            return self.named(mac, "the backplane is pinned to");
        }
        let mut free = self.nics.iter().filter(|nic| nic.refusal.is_none());
        match (free.next(), free.count()) {
            (Some(nic), 0) => Ok(nic),
            (None, _) => Err(blocked(
                format!("no card can be used for the backplane: {}", self.list()),
                "Heeler never uses a card over which the node is reached, nor one that is already in use",
                "plug in the second card; or name the card in heeler.toml: mac = \"…\"; then: heeler plan",
            )),
            (Some(_), more) => Err(Blocked::new(
                format!("{} cards could be used for the backplane: {}", more + 1, self.list()),
                "Heeler does not guess which one",
                "heeler plan",
            )
            .edit(Key::Backplane, "", "name the card, mac = \"…\"")),
        }
    }

    fn named(&self, mac: &str, whose: &str) -> Result<&Nic, Blocked> {
        let Some(nic) = self.nics.iter().find(|nic| nic.mac == mac) else {
            return Err(blocked(
                format!("{whose} {mac}, which is not in this node; it has: {}", self.list()),
                "Heeler does not use another card in its place",
                format!("plug in the card {mac}, in any port; or name the new card in heeler.toml; then: heeler plan"),
            ));
        };
        // A card that Heeler configured already is accepted: the last step checks whether it may be changed.
        let ours = self.pinned.as_deref() == Some(mac) && nic.name == link::BACKPLANE;
        match &nic.refusal {
            Some(refusal) if refusal.is_final() && !ours => Err(blocked(
                format!("{whose} {mac} ({}), and {refusal}", nic.name),
                "changing it could cut off the access to this node",
                "name another card in heeler.toml, or connect over the other one; then: heeler plan",
            )),
            _ => Ok(nic),
        }
    }

    fn list(&self) -> String {
        let one = |nic: &Nic| {
            let port = if nic.usb_mbit == 480 { ", in a USB 2 port" } else { "" };
            let refusal = nic.refusal.as_ref().map(|refusal| format!(", but {refusal}"));
            format!(
                "{} ({} {}{port}{})",
                nic.mac,
                nic.name,
                nic.driver,
                refusal.unwrap_or_default()
            )
        };
        if self.nics.is_empty() {
            return "none".to_owned();
        }
        self.nics.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

fn blocked(found: String, why: &str, next: impl Into<String>) -> Blocked {
    Blocked::new(found, why, next).at(Key::Backplane, "")
}

/// The card is not chosen yet; `NicChosen` says why.
pub(super) fn unknown() -> Plan {
    Plan::After("NicChosen")
}
