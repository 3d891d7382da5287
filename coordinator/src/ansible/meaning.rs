/// What a variable of an inventory is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Address,
    /// The login of SSH.
    Login,
    /// The login that the playbook also makes an administrator.
    User,
    Locale,
    Timezone,
    Pool,
    Subnet,
    Gateway,
    Dns,
    Domain,
    Backplane,
    BackplaneNetwork,
    BackplaneMac,
    Cluster,
    Port,
    /// Options for ssh, which may switch its check of host keys off.
    SshOptions,
    Connection,
    /// heeler.toml has nothing for it: why, or what to do instead.
    Nothing(&'static str),
}

use Meaning::*;

/// Names, and what they mean.
const NAMES: &[(&[&str], Meaning)] = &[
    (&["ansible_host", "ansible_ssh_host"], Address),
    (&["ansible_user", "ansible_ssh_user"], Login),
    (&["user_name", "username"], User),
    (&["locale"], Locale),
    (&["timezone", "time_zone", "tz"], Timezone),
    (&["pool_name", "zfs_pool", "zfs_pool_name", "zpool_name"], Pool),
    (&["subnet", "lan_subnet", "lan_cidr", "network_subnet"], Subnet),
    (&["gateway", "lan_gateway", "default_gateway"], Gateway),
    (&["dns", "dns_server", "dns_servers", "nameserver", "nameservers"], Dns),
    (&["domain", "dns_domain", "network_domain"], Domain),
    (&["backplane_ip", "backplane_address", "backplane_host"], Backplane),
    (
        &["backplane", "backplane_subnet", "backplane_network", "backplane_cidr"],
        BackplaneNetwork,
    ),
    (&["backplane_mac"], BackplaneMac),
    (
        &[
            "cluster_name",
            "pve_cluster",
            "pve_cluster_name",
            "proxmox_cluster_name",
        ],
        Cluster,
    ),
    (&["ansible_port", "ansible_ssh_port"], Port),
    (&["ansible_connection"], Connection),
    (
        &[
            "ansible_ssh_common_args",
            "ansible_ssh_extra_args",
            "ansible_ssh_args",
            "ansible_host_key_checking",
            "ansible_ssh_host_key_checking",
        ],
        SshOptions,
    ),
    (
        &["ansible_ssh_private_key_file", "ansible_private_key_file"],
        Nothing("heeler node add uses your own ssh: write IdentityFile for this host into ~/.ssh/config"),
    ),
    (
        &["ansible_password", "ansible_ssh_pass", "ansible_ssh_password"],
        Nothing("a password: not copied. heeler node add uses your own ssh; set your SSH key in Raspberry Pi Imager"),
    ),
    (
        &[
            "ansible_become_pass",
            "ansible_become_password",
            "ansible_sudo_pass",
            "ansible_sudo_password",
            "ansible_su_pass",
        ],
        Nothing("a password: not copied. heeler node add asks for it; -K asks for each node"),
    ),
    (
        &["acme_domain_suffix"],
        Nothing("heeler.toml has no key for certificates yet; the domain of the nodes' names is domain in [network]"),
    ),
    (
        &["acme_env"],
        Nothing("it holds a token: not copied. heeler.toml has no key for certificates yet; keep the token elsewhere"),
    ),
    (&["ansible_python_interpreter"], Nothing("the agent needs no Python")),
    (
        &[
            "ansible_become",
            "ansible_become_method",
            "ansible_become_user",
            "ansible_sudo",
        ],
        Nothing("heeler node add calls sudo itself, once; the agent runs as root after that"),
    ),
    (&["ansible_group_priority"], Nothing("it only orders Ansible's groups")),
];

/// Parts of names in lower case, and what such a variable means. The first match counts.
const PARTS: &[(&[&str], Meaning)] = &[
    (
        &["root_pass", "root_pw"],
        Nothing("a password: not copied. Heeler never sets a password for root"),
    ),
    (
        &["tailscale"],
        Nothing("not copied. Heeler does not install Tailscale: install it yourself, with a key for one node"),
    ),
    (
        &[
            "pass",
            "secret",
            "token",
            "key",
            "credential",
            "private",
            "auth",
            "vault",
            "psk",
            "pwd",
            "pin",
            "env",
            "cookie",
            "salt",
            "hash",
        ],
        Nothing("it may be a secret: not copied. Keep it in a password manager, or: heeler secret set NAME"),
    ),
    (&["acme_"], Nothing("heeler.toml has no key for certificates yet")),
    (&["vlan"], Nothing("heeler.toml has no key for VLANs yet")),
    (
        &["backplane"],
        Nothing("heeler.toml has no key for it: the backplane is an address in a network, and a card's MAC"),
    ),
    (
        &["disk", "nvme", "device"],
        Nothing("heeler.toml takes disks by serial alone: heeler disk list shows them"),
    ),
];

/// The names of variables with that meaning.
pub(super) fn names(meaning: Meaning) -> impl Iterator<Item = &'static str> {
    let same = NAMES.iter().filter(move |(_, one)| *one == meaning);
    same.flat_map(|(names, _)| names.iter().copied())
}

/// What the variable is about, by its name. A name in other letters counts only as a possible secret.
pub(super) fn meaning(name: &str) -> Meaning {
    let lower = name.to_ascii_lowercase();
    let whole = NAMES.iter().find(|(names, _)| names.contains(&name));
    let part = || {
        PARTS
            .iter()
            .find(|(parts, _)| parts.iter().any(|part| lower.contains(part)))
    };
    match whole.or_else(part) {
        Some((_, meaning)) => *meaning,
        None if lower.starts_with("ansible_") => Nothing("a setting of Ansible itself"),
        None => Nothing("heeler.toml has no key for it"),
    }
}
