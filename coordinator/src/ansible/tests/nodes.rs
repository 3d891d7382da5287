use super::{given, said};

/// The lines of a heeler.toml after the comments about disks and the LAN.
fn lines(inventory: &str) -> Vec<String> {
    let toml = given(inventory).toml;
    let (_, own) = toml.split_once("addresses = [\"10.10.80.9:7443\"]\n").unwrap();
    let own = own.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    own.map(str::to_owned).collect()
}

#[test]
fn odd_inventories_give_the_nodes_that_ansible_sees() {
    for (inventory, wanted) in [
        // Without a group; ranges, quotes, comments.
        (
            "pi[1:2] note='a b' # x\n[x]\npi1 ansible_host='10.0.0.1'#y\npi2 ansible_host=\"10.0.0.2\"\n",
            &[
                "[nodes.pi1]",
                "address = \"10.0.0.1\"",
                "[nodes.pi2]",
                "address = \"10.0.0.2\"",
            ][..],
        ),
        // Only pve_nodes, with the groups below it, in the order of the file.
        (
            "b ansible_host=10.0.0.2\nw ansible_host=10.0.0.9\n[left]\na ansible_host=10.0.0.1\n[pve_nodes:children]\n\
             left # first\nright\n[right]\nb\n",
            &[
                "[nodes.b]",
                "address = \"10.0.0.2\"",
                "[nodes.a]",
                "address = \"10.0.0.1\"",
            ],
        ),
        // An own value, a group's, that of the group around it, and that of all.
        (
            "[pve_nodes:children]\nx\ny\n[x]\na ansible_host=10.0.0.1\nb ansible_host=10.0.0.2 user_name=own\n[y]\n\
             c ansible_host=10.0.0.3\n[x:vars]\nuser_name=inner\n[pve_nodes:vars]\nuser_name=outer\ntimezone=Etc/UTC\n\
             [all:vars]\nuser_name=every\ntimezone=Europe/Berlin\n",
            &[
                "[defaults]",
                "timezone = \"Etc/UTC\"",
                "[nodes.a]",
                "address = \"10.0.0.1\"",
                "user = \"inner\"",
                "[nodes.b]",
                "address = \"10.0.0.2\"",
                "user = \"own\"",
                "[nodes.c]",
                "address = \"10.0.0.3\"",
                "user = \"outer\"",
            ],
        ),
        // Groups of one depth count by priority, then by name.
        (
            "[x]\na ansible_host=10.0.0.1\n[y]\na\n[z]\na\n[x:vars]\nuser_name=x\nansible_group_priority=5\n[y:vars]\n\
             user_name=y\n[z:vars]\nuser_name=z\nlocale=C\n[y:vars]\nlocale=en_AU.UTF-8\n",
            &[
                "[defaults]",
                "user = \"x\"",
                "locale = \"C\"",
                "[nodes.a]",
                "address = \"10.0.0.1\"",
            ],
        ),
        // The login of SSH before the playbook's user.
        (
            "a ansible_host=10.0.0.1 ansible_user=pi user_name=ada\n",
            &["[defaults]", "user = \"pi\"", "[nodes.a]", "address = \"10.0.0.1\""],
        ),
        // IPv6, ports, and a name with a domain.
        (
            "A_1.home.lan:2222 ansible_host=2001:db8::5\n",
            &["[nodes.a-1]", "address = \"2001:db8::5\""],
        ),
        // No node: an address, a name, a template, this machine, what is no address.
        (
            "10.0.0.1\n[2001:db8::5]:22\nb\nc ansible_host=c.lan\nd ansible_host={{x}}\nlocalhost\n\
             e ansible_connection=local ansible_host=10.0.0.5\nf ansible_host=127.0.0.1\ng ansible_host=0.0.0.0\n\
             h ansible_host=fe80::1%eth0\n[all:vars]\nuser_name=ada\n",
            &["[defaults]", "user = \"ada\""],
        ),
        // A whole LAN and backplane.
        (
            "[pve_nodes]\na ansible_host=10.0.0.1 backplane_ip=10.9.0.1\nb ansible_host=10.0.0.2 \
             backplane_ip=10.9.0.2 backplane_mac=00:E0:4C:68:00:02\n[pve_nodes:vars]\nsubnet=10.0.0.0/24\n\
             gateway=10.0.0.254\ndns=['10.0.0.254', '1.1.1.1']\nbackplane_subnet=10.9.0.0/24\npool_name=tank\ndomain=home.lan\n",
            &[
                "[network]",
                "subnet = \"10.0.0.0/24\"",
                "gateway = \"10.0.0.254\"",
                "dns = [\"10.0.0.254\", \"1.1.1.1\"]",
                "domain = \"home.lan\"",
                "backplane = \"10.9.0.0/24\"",
                "[pool]",
                "name = \"tank\"",
                "[nodes.a]",
                "address = \"10.0.0.1\"",
                "backplane = { address = \"10.9.0.1\" }",
                "[nodes.b]",
                "address = \"10.0.0.2\"",
                "backplane = { address = \"10.9.0.2\", mac = \"00:e0:4c:68:00:02\" }",
            ],
        ),
        // A backplane without a subnet: the network is the node's own.
        (
            "a ansible_host=10.0.0.1 backplane_ip=10.9.0.1/24\n",
            &[
                "[nodes.a]",
                "address = \"10.0.0.1\"",
                "backplane = { address = \"10.9.0.1\" }",
                "network = { backplane = \"10.9.0.0/24\" }",
            ],
        ),
    ] {
        assert_eq!(lines(inventory), wanted, "{inventory}");
    }
}

#[test]
fn values_that_heeler_toml_refuses_are_left_out() {
    for variables in [
        "user_name=1ada",
        "user_name='{{ lookup(x) }}'",
        "locale=xx_YY",
        "timezone=Mars/Base",
        "pool_name=mirror",
        "cluster_name=K8S",
        // Not the network's first address; a node outside; the other family.
        "subnet=10.0.0.1/24",
        "subnet=10.0.1.0/24",
        "subnet=2001:db8::/64",
        // The node's own; outside; without a subnet.
        "gateway=10.0.0.1\nsubnet=10.0.0.0/24",
        "gateway=10.0.1.1\nsubnet=10.0.0.0/24",
        "gateway=10.0.0.0\nsubnet=10.0.0.0/24",
        "gateway=10.0.0.254",
        "dns=1.1.1.1",
        "domain=home.lan",
        "domain=Home_lan\nsubnet=10.0.0.0/24",
        "dns=one.lan\nsubnet=10.0.0.0/24",
        // A backplane in the LAN, without a network, of one address, of the other family, with the node's address.
        "backplane_ip=10.0.0.9/24\nsubnet=10.0.0.0/24",
        "backplane_ip=10.9.0.1",
        "backplane_ip=10.9.0.1/32",
        "backplane_ip=10.9.0.0/24",
        "backplane_ip=2001:db8::1/64",
        "backplane_ip=10.0.0.1/24",
        "backplane_ip=10.9.0.1\nbackplane_subnet=10.8.0.0/24",
        "backplane_ip=10.9.0.1\nbackplane_subnet=10.9.0.1/24",
        "backplane_ip=x",
        "backplane_mac=00:e0:4c:68:00:01",
        "backplane_ip=10.9.0.1/24\nbackplane_mac=01:00:00:00:00:00",
    ] {
        let given = given(format!("a ansible_host=10.0.0.1\n[all:vars]\n{variables}\n"));
        let name = variables.split('=').next().unwrap();
        let left_out = said(&given.fleet.report.left_out);
        let is_named = left_out.iter().any(|note| note.starts_with(&format!("{name} [")));
        let mac = variables.contains("backplane_mac=01");
        let is_named = is_named || mac && left_out.iter().any(|note| note.starts_with("backplane_mac ["));
        assert!(is_named, "{variables}: {left_out:?}");
        assert_eq!(given.config.nodes.len(), 1, "{variables}");
    }
}

#[test]
fn values_of_hosts_that_differ_are_left_out() {
    let given =
        given("a ansible_host=10.0.0.1 pool_name=tank cluster_name=one\nb ansible_host=10.0.0.2 cluster_name=two\n");
    let left_out = said(&given.fleet.report.left_out);
    for note in [
        "pool_name [1]: the hosts differ: write name in [pool] by hand",
        "cluster_name [1, 2]: the hosts differ: write name in [cluster] by hand",
    ] {
        assert!(left_out.iter().any(|one| one == note), "{note}: {left_out:?}");
    }
    assert_eq!(given.fleet.cluster, None);
}

#[test]
fn a_cluster_name_is_offered() {
    let given = given("a ansible_host=10.0.0.1\n[all:vars]\ncluster_name=home\n");
    assert_eq!(given.fleet.cluster.as_deref(), Some("home"));
}

#[test]
fn a_note_says_what_to_do_instead() {
    for (line, note) in [
        (
            "a:2222 ansible_host=10.0.0.1",
            "a [1]: heeler.toml has no port: write Port for this host",
        ),
        (
            "a ansible_host=10.0.0.1 ansible_port=2222",
            "ansible_port [1]: heeler.toml has no port",
        ),
        (
            "a ansible_host=10.0.0.1 ansible_become=yes",
            "ansible_become [1]: heeler node add calls sudo itself",
        ),
        (
            "a ansible_host=10.0.0.1 vlan_id=80",
            "vlan_id [1]: heeler.toml has no key for VLANs yet",
        ),
        (
            "a ansible_host=10.0.0.1 colour=red",
            "colour [1]: heeler.toml has no key for it",
        ),
        (
            "a ansible_host=10.0.0.1 ansible_pipelining=1",
            "ansible_pipelining [1]: a setting of Ansible itself",
        ),
        (
            "10.0.0.1",
            "10.0.0.1 [1]: it has no name that Proxmox takes. To add it: heeler node add NAME --ssh USER@10.0.0.1",
        ),
        (
            "a ansible_host=a.lan",
            "a [1]: its ansible_host is not an IP address, and heeler.toml needs one. heeler node add a --ssh USER@HOST",
        ),
        ("a", "a [1]: it has no ansible_host, and heeler.toml needs one"),
        ("localhost", "localhost [1]: it is this machine, not a node"),
        (
            "a ansible_host=10.0.0.1\n[pve_nodes]\nb ansible_host=10.0.0.2",
            "a [1]: not in the group pve_nodes",
        ),
    ] {
        let left_out = said(&given(line).fleet.report.left_out);
        assert!(left_out.iter().any(|one| one.starts_with(note)), "{note}: {left_out:?}");
    }
    let keys = "ansible_ssh_common_args='-o StrictHostKeyChecking=no'";
    let changed = said(&given(format!("a ansible_host=10.0.0.1 {keys}")).fleet.report.changed);
    assert!(
        changed.iter().any(|one| one.contains("pins the SSH host key")),
        "{changed:?}"
    );
    assert!(
        given("a ansible_host=10.0.0.1 ansible_port=22")
            .fleet
            .report
            .left_out
            .iter()
            .all(|one| one.what != "ansible_port")
    );
}

/// Numbers that look random, the same in each run.
struct Dice(u64);

impl Dice {
    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        of[(self.0 >> 33) as usize % of.len()]
    }
}

#[test]
fn no_inventory_gives_a_heeler_toml_with_mistakes() {
    let mut dice = Dice(1);
    let parts = [
        "\n",
        "\n",
        " ",
        " ",
        "=",
        "#",
        "'",
        "\"",
        "\\",
        "[",
        "]",
        ":",
        "a",
        "b",
        "10.0.0.1",
        "10.0.0.2",
        "10.9.0.3",
        "/24",
        "/30",
        "2001:db8::1",
        "ansible_host=",
        "backplane_ip=",
        "backplane_subnet=",
        "backplane_mac=",
        "02:00:00:00:00:01",
        "subnet=",
        "10.0.0.0/24",
        "gateway=",
        "dns=",
        "user_name=",
        "locale=",
        "en_AU.UTF-8",
        "timezone=",
        "Etc/UTC",
        "pool_name=",
        "domain=",
        "a.b",
        "cluster_name=",
        "\n[pve_nodes]\n",
        "\n[pve_nodes:vars]\n",
        "\n[x:children]\n",
        "\n[x]\n",
        "\n[all:vars]\n",
        "\na ",
        "\nb ",
        "[1:2]",
        "{{x}}",
        "\r",
        "\u{fc}",
    ];
    let mut good = 0;
    for round in 0..5000 {
        let mut inventory = String::from(if round % 2 == 0 {
            "[pve_nodes]\na ansible_host=10.0.0.1"
        } else {
            ""
        });
        for _ in 0..round % 24 {
            inventory.push_str(dice.pick(&parts));
        }
        if super::refused(&inventory).is_empty() {
            given(&inventory);
            good += 1;
        }
    }
    assert!(good > 500, "{good}");
}
