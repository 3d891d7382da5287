use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::inventory::{Group, Host, Inventory, Parsed, Variable};
use super::mistake::{Mistake, Wrong};

/// Gives each group its depth. Fails when a group contains itself.
pub(super) fn order(groups: &mut BTreeMap<String, Group>) -> Result<(), Mistake> {
    for (name, group) in groups.iter_mut() {
        if group.parents.is_empty() && name != "all" {
            group.parents.push("all".to_owned());
        }
    }
    let mut open: BTreeSet<String> = groups.keys().cloned().collect();
    while !open.is_empty() {
        let is_ready = |name: &&String| groups[*name].parents.iter().all(|parent| !open.contains(parent));
        let ready: Vec<String> = open.iter().filter(is_ready).cloned().collect();
        if ready.is_empty() {
            return Err(circle(groups, &open));
        }
        for name in ready {
            let parents = groups[&name].parents.iter();
            let depth = parents.map(|parent| groups[parent].depth + 1).max().unwrap_or(0);
            open.remove(&name);
            if let Some(group) = groups.get_mut(&name) {
                group.depth = depth;
            }
        }
    }
    Ok(())
}

fn circle(groups: &BTreeMap<String, Group>, open: &BTreeSet<String>) -> Mistake {
    let inside = open.iter().find(|name| name.as_str() != "all");
    let name = inside.map_or("all", String::as_str);
    let line = groups.get(name).map_or(1, |group| group.line.max(1));
    Wrong::new(
        format!("the group {name} contains itself, or is below one that does"),
        "delete a line below [GROUP:children] that leads back",
    )
    .at(line)
}

impl Parsed {
    /// Every variable that a playbook sees on the host. A child group's replaces its parents', and the host's own
    /// replaces all.
    pub(super) fn variables<'p>(&'p self, host: &'p Host) -> BTreeMap<&'p str, &'p Variable> {
        let groups = &self.inventory.groups;
        let mut around: Vec<&String> = self.inventory.around(host).into_iter().collect();
        around.sort_by_key(|name| (groups[*name].depth, priority(&groups[*name]), *name));
        let inherited = around.into_iter().flat_map(|name| &groups[name].variables);
        inherited
            .chain(self.own(host))
            .map(|one| (one.name.as_str(), one))
            .collect()
    }
}

/// Which of the groups of one depth comes later; 1 when nothing is said.
fn priority(group: &Group) -> i64 {
    let named = group.variables.iter().rfind(|one| one.name == "ansible_group_priority");
    named.and_then(|one| one.value.text().parse().ok()).unwrap_or(1)
}

impl Inventory {
    /// Whether the host is in the group, or in one below it.
    pub(super) fn is_in(&self, host: &Host, group: &str) -> bool {
        self.around(host).iter().any(|name| *name == group)
    }

    /// The host's groups, and those that contain them.
    fn around<'i>(&'i self, host: &'i Host) -> HashSet<&'i String> {
        let mut found = HashSet::new();
        let mut open: Vec<&String> = host.groups.iter().collect();
        while let Some(name) = open.pop() {
            if found.insert(name) {
                open.extend(self.groups.get(name).into_iter().flat_map(|group| &group.parents));
            }
        }
        found
    }
}
