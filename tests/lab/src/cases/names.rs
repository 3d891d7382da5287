//! Host name and /etc/hosts, on a card that cloud-init has set up.

use anyhow::{Result, ensure};

use super::{Case, Cost, Run, X};
use crate::fleet::Fleet;

pub(super) const CASES: &[Case] = &[Case {
    on: X,
    name: "provision-names: the cluster's names are in /etc/hosts and stay there after a power cut, and a person's line too",
    cost: Cost::Seconds(90),
    run: Run::Fleet(names),
}];

fn names(fleet: &mut Fleet<'_>) -> Result<()> {
    fleet.have(X)?;
    let node = fleet.lab().node(X)?;
    node.must("grep '^127.0.1.1' /etc/hosts && echo '10.10.80.1 router # mine' >> /etc/hosts")?;
    let network = "[network]\nsubnet = \"10.10.80.0/24\"\ndomain = \"example.lan\"\n\n[cluster]";
    fleet.edit("[cluster]", network)?;
    let plan = fleet.plan(X)?;
    ensure!(
        plan.contains("switch cloud-init off") && plan.contains("127.0.1.1"),
        "{plan}"
    );
    fleet.apply(X)?;
    let check = format!(
        "[ $(hostname --fqdn) = {X}.example.lan ] && getent ahostsv4 {X} | grep '^10[.]10[.]80[.]' \
         && ! grep '^127.0.1.1' /etc/hosts && grep -x '10.10.80.1 router # mine' /etc/hosts"
    );
    node.must(&check)?;
    node.cut()?;
    node.start()?;
    node.wait_ready()?;
    node.must(&check)?;
    fleet.wait_connected(X)?;
    let plan = fleet.plan(X)?;
    ensure!(plan.contains("Nothing to change."), "{plan}");
    Ok(())
}
