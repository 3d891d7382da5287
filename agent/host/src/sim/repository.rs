use super::machine::Machine;

/// A repository of packages that the machine can fetch from.
#[derive(Debug, Clone)]
pub struct Repository {
    /// Its address, without a final slash.
    pub uri: String,
    /// Its suite.
    pub suite: String,
    /// Its only component.
    pub component: String,
    /// The content of the file with the key that it is signed with.
    pub key: String,
    /// Name, version and source of each package.
    pub packages: Vec<(&'static str, &'static str, &'static str)>,
    /// What its server does.
    pub server: Server,
}

/// What the server of a repository does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// It serves what the repository holds.
    Serves,
    /// It does not answer.
    Silent,
    /// It serves a copy that is no longer valid.
    Old,
    /// It serves what somebody has changed.
    Changed,
    /// It serves a list of packages that breaks off.
    Truncated,
}

impl Repository {
    /// Debian's, as far as tests need it, signed with the key of a fresh system.
    #[must_use]
    pub fn debian() -> Self {
        let zfs = |name| (name, "2.3.9-0+deb13u1", "zfs-linux");
        Self {
            uri: "http://deb.debian.org/debian".to_owned(),
            suite: "trixie".to_owned(),
            component: "main".to_owned(),
            key: DEBIAN_KEY.to_owned(),
            packages: vec![
                zfs("zfsutils-linux"),
                zfs("zfs-dkms"),
                zfs("zfs-zed"),
                ("corosync", "3.1.9-2", "corosync"),
                ("openssh-server", "1:10.0p1-7", "openssh"),
                ("systemd", "257.8-1~deb13u2", "systemd"),
                ("postfix", "3.10.4-1", "postfix"),
                ("htop", "3.4.1-4", "htop"),
                ("linux-headers-6.12.47+rpt-rpi-v8", "1:6.12.47-1+rpt1", "linux"),
                ("linux-headers-6.12.47+rpt-rpi-2712", "1:6.12.47-1+rpt1", "linux"),
            ],
            server: Server::Serves,
        }
    }

    /// Proxmox's own, as far as tests need it, signed with this key.
    #[must_use]
    pub fn proxmox(key: &str) -> Self {
        let zfs = |name| (name, "2.4.4-pve1", "zfs-linux");
        Self {
            uri: "http://download.proxmox.com/debian/pve".to_owned(),
            suite: "trixie".to_owned(),
            component: "pve-no-subscription".to_owned(),
            key: key.to_owned(),
            packages: vec![
                ("pve-manager", "9.2.18", "pve-manager"),
                ("pve-cluster", "9.1.2", "pve-cluster"),
                ("qemu-server", "9.2.4", "qemu-server"),
                ("pve-qemu-kvm", "10.2.1-1", "pve-qemu"),
                ("pve-container", "6.1.2", "pve-container"),
                ("pve-firewall", "6.0.4", "pve-firewall"),
                ("pve-ha-manager", "5.1.3", "pve-ha-manager"),
                ("lxc-pve", "6.0.5-1", "lxc-pve"),
                ("ifupdown2", "3.3.0-1+pmx11", "ifupdown2"),
                ("proxmox-ve", "9.2.0", "proxmox-ve"),
                ("proxmox-default-kernel", "2.0.0", "proxmox-kernel-meta"),
                zfs("zfsutils-linux"),
                zfs("zfs-zed"),
                ("corosync", "3.1.9-pve2", "corosync-pve"),
            ],
            server: Server::Serves,
        }
    }
}

/// In place of the binary file.
pub(super) const DEBIAN_KEY: &str = "Debian's archive key\n";
/// Where Debian keeps it.
pub(super) const DEBIAN_KEY_PATH: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Its source in a fresh system.
pub(super) const DEBIAN_SOURCE: &str = "Types: deb\nURIs: http://deb.debian.org/debian/\nSuites: trixie\nComponents: main\n\
                                        Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n";

impl Machine {
    /// Puts a repository on the network, in place of the one with the same address and suite.
    pub fn put_repository(&self, repository: Repository) {
        let mut state = self.lock();
        let all = &mut state.board.repositories;
        all.retain(|other| (&other.uri, &other.suite) != (&repository.uri, &repository.suite));
        all.push(repository);
    }
}
