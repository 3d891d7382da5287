//! Blocks a backplane's move to another subnet while peers are up on the old one: they could not confirm it, and the
//! guard would undo it. The plan says so instead.

use heeler_proto::{Cidr, KeepBackplane, NodeName, Task, v1};

use super::{network, plan::Look};

/// Facts of the connected nodes: from this plan's look, else as stored.
pub(super) struct Peers(pub(super) Vec<(NodeName, v1::Facts)>);

impl Peers {
    /// Blocks the step of `plan` that would move the node's backplane away from its peers.
    pub(super) fn refuse(&self, look: &Look, plan: &mut v1::NodePlan) {
        let changes = (0..).zip(&look.tasks).filter_map(|(at, task): (u32, _)| match task {
            Task::KeepBackplane(wanted) => Some((at, wanted)),
            _ => None,
        });
        for (at, wanted) in changes {
            let own = plan.steps.iter_mut().filter(|step| step.task == at);
            let mut changes = own.filter(|step| step.outcome() == v1::StepOutcome::Change);
            let (Some(step), against) = (changes.next_back(), self.elsewhere(look, wanted)) else {
                continue;
            };
            if against.is_empty() {
                continue;
            }
            step.set_outcome(v1::StepOutcome::Blocked);
            step.ops.clear();
            step.blocked = Some(v1::Blocked {
                found: format!(
                    "{} would get {}, and these nodes are on another subnet: {}",
                    look.name,
                    wanted.address,
                    against.join(", ")
                ),
                why: "Heeler keeps a network change only when every peer that is up on the backplane reaches the \
                    node; these peers could not, and the change would be undone"
                    .to_owned(),
                next: format!(
                    "keep the old subnet. To change it anyway, the cluster must keep quorum without the \
                     backplane: on each node, corosync-cfgtool -s must show a link over the LAN that is connected to \
                     all others. If it does not, add that link to corosync first. Only then unplug the backplane \
                     cables of the other nodes, heeler apply {}; then plug in and apply one node after another. The \
                     first one must not be the coordinator's node",
                    look.name
                ),
                key: v1::TomlKey::Backplane.into(),
                ..v1::Blocked::default()
            });
        }
    }

    /// The peers that are up on another subnet than the wanted one.
    fn elsewhere(&self, look: &Look, wanted: &KeepBackplane) -> Vec<String> {
        let peers = self
            .0
            .iter()
            .filter(|(name, facts)| *name != look.name && network::is_up(Some(facts)));
        let apart = peers.filter_map(|(name, facts)| {
            let addresses: Vec<Cidr> = network::addresses(facts).filter_map(|one| one.parse().ok()).collect();
            let near = |one: &Cidr| one.reaches(wanted.address.address) && wanted.address.reaches(one.address);
            let far = addresses.first().filter(|_| !addresses.iter().any(near))?;
            Some(format!("{name} ({far})"))
        });
        apart.collect()
    }
}
