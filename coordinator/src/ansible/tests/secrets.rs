use super::{given, refused};

/// Stands for every secret below. No key of heeler.toml accepts it.
const CANARY: &str = "hunter2!CANARY";

#[test]
fn no_secret_of_an_inventory_leaves_it() {
    let names = [
        "ansible_password",
        "ansible_ssh_pass",
        "ansible_become_pass",
        "ansible_become_password",
        "ansible_sudo_pass",
        "ansible_ssh_private_key_file",
        "ansible_ssh_common_args",
        "root_password",
        "tailscale_auth_key",
        "acme_env",
        "acme_email",
        "api_token",
        "vault_thing",
        "note",
        "colour",
        "user_name",
        "ansible_user",
        "locale",
        "timezone",
        "pool_name",
        "cluster_name",
        "subnet",
        "gateway",
        "dns",
        "backplane_ip",
        "backplane_subnet",
        "backplane_mac",
        "domain",
        "ansible_port",
        "ansible_connection",
        "ansible_group_priority",
        "ansible_host",
    ];
    for name in names {
        let address = if name == "ansible_host" {
            ""
        } else {
            "ansible_host=10.0.0.2"
        };
        for value in [
            CANARY.to_owned(),
            format!("'{CANARY} x'"),
            format!("\"{{'a': '{CANARY}'}}\""),
            format!("'{{{{ {CANARY} }}}}'"),
        ] {
            for inventory in [
                format!("[pve_nodes]\na ansible_host=10.0.0.1\nb {address} {name}={value}\n# {CANARY}\n"),
                format!("[pve_nodes]\na {address} # {CANARY}\n[pve_nodes:vars]\n{name}={value} # {CANARY}\n"),
            ] {
                let given = given(&inventory);
                let report = format!(
                    "{}{:?}",
                    serde_json::to_string(&given.fleet.report).unwrap(),
                    given.fleet.report
                );
                assert!(!given.toml.contains(CANARY), "{inventory}{}", given.toml);
                assert!(!report.contains(CANARY), "{inventory}{report}");
                assert!(given.fleet.cluster.is_none(), "{inventory}");
                assert!(report.contains(name) || name == "ansible_host", "{inventory}{report}");
            }
        }
    }
}

#[test]
fn a_mistake_does_not_quote_its_line() {
    for line in [
        format!("ansible_password={CANARY}"),
        format!("ansible_password = {CANARY}"),
        format!("a ansible_password {CANARY}"),
        format!("a ansible_password='{CANARY}"),
        format!("a ansible_password={CANARY} x"),
        format!("a {CANARY}=x"),
        format!("a:{CANARY}"),
        format!("[{CANARY}"),
        format!("[a:{CANARY}]"),
        format!("[a b {CANARY}]"),
        format!("pi:{CANARY}@a"),
        format!("a[{CANARY}]"),
        format!("a[1:{CANARY}]"),
        format!("[all:vars]\nansible_password: {CANARY}"),
        format!("[all:vars]\nhttps://me:{CANARY}@host/?a=b"),
        format!("a ansible_password={CANARY}\u{202e}"),
    ] {
        let said = refused(&line).join("\n");
        assert!(!said.is_empty() && !said.contains(CANARY), "{line}: {said}");
    }
}
