use super::{given, said};

const SEED: &str = include_str!("seed.ini");

#[test]
fn the_playbooks_inventory_becomes_a_complete_heeler_toml() {
    let given = given(SEED);
    assert_eq!(given.toml, include_str!("seed.toml"));
    let wanted = given.config.wanted_nodes();
    let names: Vec<&str> = wanted.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["k8sctl-pi5l", "k8sctl-pi5r", "k8sctl-pi5x"]);
    assert!(wanted.iter().all(|node| node.locale.is_some() && node.disks.is_empty()));
}

#[test]
fn the_report_names_what_was_taken_changed_and_left_out() {
    let report = given(SEED).fleet.report;
    assert_eq!(
        said(&report.taken),
        [
            "k8sctl-pi5l [3]: [nodes.k8sctl-pi5l] address = \"10.10.80.50\"",
            "k8sctl-pi5r [5]: [nodes.k8sctl-pi5r] address = \"10.10.80.51\"",
            "k8sctl-pi5x [7]: [nodes.k8sctl-pi5x] address = \"10.10.80.52\"",
            "user_name [10]: [defaults] user = \"your_username\"",
            "locale [11]: [defaults] locale = \"en_AU.UTF-8\"",
        ]
    );
    let changed: Vec<_> = report.changed.iter().map(|note| note.what.as_str()).collect();
    assert_eq!(
        changed,
        ["user_name", "locale", "addresses", "disks", "pools", "order of hosts"]
    );
    assert!(report.changed[1].text.contains('#'), "{:?}", report.changed[1]);
    let left_out: Vec<_> = report.left_out.iter().map(|note| note.what.as_str()).collect();
    assert_eq!(left_out, ["network", "backplane"]);
}

#[test]
fn the_acme_and_tailscale_variables_are_left_out() {
    let whole = SEED.replace("# acme_", "acme_") + "tailscale_auth_key=tskey-auth-1\n";
    let given = given(whole);
    assert_eq!(given.toml, include_str!("seed.toml"));
    let left_out: Vec<_> = given
        .fleet
        .report
        .left_out
        .iter()
        .map(|note| note.what.as_str())
        .collect();
    let acme = ["acme_domain_suffix", "acme_email", "acme_dns_provider", "acme_env"];
    assert_eq!(left_out[2..], [&acme[..], &["tailscale_auth_key"]].concat());
}

#[test]
fn node_add_completes_a_node_from_an_inventory() {
    let toml = given(SEED).toml;
    let found = crate::config::NewNode {
        name: heeler_proto::NodeName::new("k8sctl-pi5r").unwrap(),
        address: "10.10.80.51".parse().unwrap(),
        disks: ["S6XNNS0W100003", "S6XNNS0W100004"]
            .map(|serial| heeler_proto::Serial::new(serial).unwrap())
            .to_vec(),
        backplane: None,
        note: String::new(),
    };
    let after = crate::config::add_node(&toml, &found).unwrap();
    let line = "address = \"10.10.80.51\"\ndisks = [\"S6XNNS0W100003\", \"S6XNNS0W100004\"]\n";
    assert_eq!(after, toml.replace("address = \"10.10.80.51\"\n", line));
    assert_eq!(crate::config::parse(&after).unwrap().wanted_nodes()[1].disks.len(), 2);
}
