//! A heeler.toml of an Ansible inventory is one that a coordinator plans with.

use heeler_tests::{CLUSTER, Fleet, Laptop, Node};

use crate::scene::{DISKS, machine};

const HOSTS: &str = include_str!("../../../coordinator/src/ansible/tests/seed.ini");

#[tokio::test]
async fn plan_accepts_the_heeler_toml_of_an_inventory() {
    let fleet = Fleet::new().await;
    let new = Laptop::of("ann");
    let hosts = new.file("hosts.ini", Some(HOSTS));
    let line = format!(
        "init --cluster {CLUSTER} --address 10.10.80.9 --from-ansible {} fleet",
        hosts.display()
    );
    new.does(&fleet.clock, &line).await;
    let toml = std::fs::read_to_string(new.file("fleet/heeler.toml", None)).unwrap();

    let me = Laptop::beside(&fleet);
    let _path = me.file("heeler.toml", Some(&toml));
    // None of its nodes is known yet; then one is.
    let said = me.does(&fleet.clock, "plan").await;
    for name in ["k8sctl-pi5l", "k8sctl-pi5r", "k8sctl-pi5x"] {
        assert!(said.contains(name), "{said}");
    }
    let _node = Node::added(&fleet, machine("k8sctl-pi5l", DISKS), "k8sctl-pi5l").await;
    let said = me.does(&fleet.clock, "plan k8sctl-pi5l").await;
    assert!(
        said.contains("k8sctl-pi5l") && !said.contains("create mirror"),
        "{said}"
    );
}
