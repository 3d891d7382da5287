//! The three cloud-init files that Raspberry Pi Imager leaves on the card.

/// Users and name of a new node.
#[derive(Debug, Clone)]
pub struct Seed<'a> {
    /// Host name.
    pub name: &'a str,
    /// OpenSSH public key of the person, one line.
    pub key: &'a str,
    /// OpenSSH public key of the lab itself, for root. Tests look at a node without using what they test.
    pub lab_key: &'a str,
}

/// The person's user name on every node.
pub const USER: &str = "pi";
/// The person's password for sudo.
pub const PASSWORD: &str = "cattle dog";
/// `PASSWORD` as crypt(5) stores it.
const PASSWORD_HASH: &str =
    "$6$heelerlab$Q4aErIMDoxENPSSI68Dh9ahtkBp.rT4YpjLQoRNOTXerXBS9iJhDw4NzFTHL/4X.UKLr2Tk4UWzZ1o.v4f2fq0";

impl Seed<'_> {
    /// `user-data`. Its host id is the one that Debian's zfsutils-linux would have generated at installation.
    pub fn user_data(&self) -> String {
        let Self { name, key, lab_key } = self;
        format!(
            "#cloud-config\n\
             hostname: {name}\n\
             manage_etc_hosts: true\n\
             disable_root: false\n\
             ssh_pwauth: false\n\
             bootcmd:\n\
             - [cloud-init-per, once, hostid, zgenhostid]\n\
             users:\n\
             - name: {USER}\n\
             \x20 groups: [users, adm, sudo, netdev, plugdev]\n\
             \x20 shell: /bin/bash\n\
             \x20 lock_passwd: false\n\
             \x20 passwd: '{PASSWORD_HASH}'\n\
             \x20 ssh_authorized_keys: ['{key}']\n\
             - name: root\n\
             \x20 ssh_authorized_keys: ['{lab_key}']\n"
        )
    }

    /// `meta-data`: the same on every card, like the real image.
    pub fn meta_data(&self) -> String {
        "instance-id: rpios-image\ndsmode: local\n".to_owned()
    }

    /// `network-config`: DHCP on the on-board NIC, rendered by NetworkManager.
    pub fn network_config(&self) -> String {
        "network:\n  version: 2\n  renderer: NetworkManager\n  ethernets:\n    eth0:\n      dhcp4: true\n      optional: true\n".to_owned()
    }
}
