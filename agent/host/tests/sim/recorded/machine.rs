use std::collections::BTreeSet;

use heeler_host::Output;
use serde_json::Value;

use super::{keys, recorded, tags};
use crate::node;

/// Keys that depend on the network: IPv6, leases.
fn of_the_network(key: &str) -> bool {
    let words = ["dynamic", "noprefixroute", "protocol", "broadcast"];
    words.iter().any(|word| key.ends_with(word)) && key.contains("addr_info")
}

#[test]
fn the_node_itself_is_described_as_by_the_real_programs() {
    let nic = heeler_host::sim::Nic::onboard("2c:cf:67:00:00:01", "10.10.80.50/24");
    let machine = node().nic(nic).build();
    for (name, what) in [("addr", "addr"), ("route", "route")] {
        let parse = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        let all = |output: &Output| keys(&parse(&output.stdout));
        let ours = all(&machine.by_hand("ip", &["-j", what]));
        let real: BTreeSet<_> = all(&recorded("iproute2-6.15.0", name)).into_iter().collect();
        assert_eq!(
            ours,
            real.into_iter().filter(|key| !of_the_network(key)).collect(),
            "{name}"
        );
    }
    let shown = machine.by_hand("timedatectl", &["show"]);
    let real = recorded("systemd-257", "timedatectl-show");
    assert!(tags(&shown).is_subset(&tags(&real)));
    let status = |output: &Output| serde_json::from_str::<Value>(&output.stdout).expect("JSON")["status"].clone();
    let shown = machine.by_hand("cloud-init", &["status", "--format", "json"]);
    assert_eq!(status(&shown), status(&recorded("cloud-init-25.1.4", "status")));
}

#[test]
fn zfs_units_have_debians_default_states() {
    let machine = node().build();
    for line in recorded("systemd-257", "list-unit-files-zfs").stdout.lines() {
        let mut words = line.split_whitespace();
        let (name, state) = (words.next().expect("a name"), words.next().expect("a state"));
        // Templates and timers are not compared.
        if name.contains('@') {
            continue;
        }
        let ours = crate::now(heeler_host::System::unit_state(&machine, name))
            .expect("power")
            .expect("known");
        assert_eq!(ours.enabled, state, "{name}");
    }
}
