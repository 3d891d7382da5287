use heeler_proto::KeepBackplane;
use heeler_proto::v1::{self, Light};
use heeler_store::Node;

use super::alert;
use super::node::Look;

/// State of a node's two networks.
pub(super) struct Links {
    pub(super) wanted: u32,
    pub(super) up: u32,
    /// What is wrong with a backplane that worked before.
    down: Option<String>,
}

/// The LAN works when the agent is connected; the backplane is judged from the facts.
pub(super) fn links_of(look: &Look<'_>, facts: Option<&v1::Facts>) -> Links {
    let backplane = look.wanted.and_then(|wanted| wanted.backplane.as_ref());
    let down = backplane.and_then(|backplane| fault(backplane, facts?));
    let seen = backplane.is_some() && facts.is_some() && down.is_none();
    let brought_up = look.matched.iter().any(|matched| matched.kind == "set up backplane");
    Links {
        wanted: 1 + u32::from(backplane.is_some()),
        up: u32::from(look.connected) + u32::from(seen && look.connected),
        down: down.filter(|_| brought_up && look.connected),
    }
}

fn fault(backplane: &KeepBackplane, facts: &v1::Facts) -> Option<String> {
    let address = backplane.address.to_string();
    match facts.nics.iter().find(|nic| nic.addresses.contains(&address)) {
        Some(nic) if nic.carrier => None,
        Some(nic) => Some(format!("the backplane ({}) has no link", nic.mac)),
        None => Some(format!("the backplane is down: no card has {address}")),
    }
}

impl Links {
    pub(super) fn alert(&self, node: &Node, look: &Look<'_>) -> Option<v1::Alert> {
        let text = self.down.clone().filter(|_| look.wanted.is_some())?;
        Some(alert(
            Light::Amber,
            &node.name,
            text,
            format!("heeler plan {}", node.name),
        ))
    }
}
