//! Other configuration of the backplane's card is reported before anything is changed.

use std::path::Path;

use heeler_host::sim::{Machine, Nic, Wire};
use heeler_host::{System as _, link};
use heeler_proto::{KeepBackplane, Renderer, Task};
use heeler_tasks::engine::Outcome;

use crate::life::{Life, blocked, pi};

const MAC: &str = "00:e0:4c:68:00:01";
const OLD_NAME: &str = "enx00e04c680001";

fn machine() -> Machine {
    let lan = Nic::onboard("2c:cf:67:00:00:01", "10.10.80.50/24");
    pi().nic(lan).nic(Nic::usb(MAC)).wire(&Wire::default()).build()
}

fn task() -> Task {
    Task::KeepBackplane(KeepBackplane {
        address: "10.10.99.50/24".parse().unwrap(),
        mac: None,
        renderer: Renderer::Auto,
    })
}

async fn refuses(mut life: Life, path: &str, text: &str, line: usize) {
    life.machine.put_file(path, text.as_bytes()).unwrap();
    let before = life.changes().len();
    let (found, _, next) = blocked(life.apply(&task()).await);
    assert!(found.contains(&format!("{path}:{line}: ")), "{found}");
    assert!(next.contains("take it out of that file"), "{next}");
    assert_eq!(life.changes().len(), before, "{path}: changed");
    assert!(
        life.machine.file("/var/lib/heeler-agent/guard/armed").is_none(),
        "{path}: armed"
    );
    life.machine.remove(Path::new(path)).await.unwrap();
    assert_eq!(life.apply(&task()).await, Outcome::Done, "{path}");
}

#[tokio::test]
async fn a_file_that_wins_over_the_backplanes_is_named_first() {
    for (path, text, line) in [
        (
            "/etc/netplan/90-default.yaml",
            "network:\n  version: 2\n  ethernets:\n    all-en:\n      match: {name: \"en*\"}\n      dhcp4: true\n",
            4,
        ),
        (
            "/etc/netplan/50-cloud-init.yaml",
            "network:\n  bridges:\n    br0:\n      interfaces:\n      - enx00e04c680001\n",
            5,
        ),
        ("/run/netplan/60-heeler-backplane.yaml", "network:\n  version: 2\n", 1),
        (
            "/etc/systemd/network/05-all.network",
            "[Match]\nName=en*\n\n[Network]\nDHCP=yes\n",
            2,
        ),
        (
            "/etc/systemd/network/10-netplan-enbp0.network",
            "[Match]\nName=enbp0\n",
            1,
        ),
        (
            "/etc/systemd/network/10-netplan-enbp0.network.d/mtu.conf",
            "[Link]\nMTUBytes=9000\n",
            1,
        ),
        (
            "/etc/systemd/network/05-usb.link",
            "[Match]\nDriver=r8152\n\n[Link]\nName=lan1\n",
            2,
        ),
        (
            "/etc/udev/rules.d/70-persistent-net.rules",
            "SUBSYSTEM==\"net\", ACTION==\"add\", ATTR{address}==\"00:e0:4c:68:00:01\", NAME=\"lan1\"\n",
            1,
        ),
        (
            "/etc/NetworkManager/conf.d/all.conf",
            "[device-all]\nmatch-device=type:ethernet\nmanaged=1\n",
            3,
        ),
    ] {
        refuses(Life::of(machine()), path, text, line).await;
    }
}

#[tokio::test]
async fn netplan_reads_the_file_in_run_before_its_namesake() {
    let harmless = "network:\n  version: 2\n";
    let wins = "network:\n  version: 2\n  ethernets:\n    all-en:\n      match: {name: \"en*\"}\n      dhcp4: true\n";
    let life = Life::of(machine());
    life.machine
        .put_file("/etc/netplan/90-default.yaml", harmless.as_bytes())
        .unwrap();
    refuses(life, "/run/netplan/90-default.yaml", wins, 4).await;
}

#[tokio::test]
async fn a_file_that_names_the_backplanes_card_is_reported() {
    for (path, text, line) in [
        (
            "/etc/netplan/50-cloud-init.yaml",
            "network:\n  ethernets:\n    enx00e04c680001:\n      dhcp4: true\n",
            3,
        ),
        (
            "/etc/systemd/network/20-nas.network",
            "[Match]\nMACAddress=00:e0:4c:68:00:01\n",
            2,
        ),
        (
            "/etc/systemd/network/20-nas.link",
            "[Match]\nMACAddress=00:e0:4c:68:00:01\n",
            2,
        ),
        (
            "/etc/NetworkManager/system-connections/nas.nmconnection",
            "[connection]\nid=nas\ntype=ethernet\ninterface-name=enx00e04c680001\n",
            4,
        ),
    ] {
        refuses(Life::of(machine()), path, text, line).await;
    }
}

#[tokio::test]
async fn the_file_of_dhcpcd_is_read() {
    let life = Life::of(machine());
    life.machine.put_file("/usr/sbin/dhcpcd", b"").unwrap();
    let text = format!("hostname\ninterface {OLD_NAME}\nstatic ip_address=10.0.0.2/24\n");
    refuses(life, "/etc/dhcpcd.conf", &text, 2).await;
}

#[tokio::test]
async fn ifupdowns_other_files_are_read_too() {
    let life = || {
        let life = Life::of(machine());
        life.machine.install_ifupdown2("3.3.0-1+pmx1");
        life
    };
    let stanza = format!("auto {OLD_NAME}\niface {OLD_NAME} inet dhcp\n");
    refuses(life(), "/etc/network/interfaces.d/nas", &stanza, 2).await;
    let bridge = format!("iface vmbr1 inet manual\n  bridge-ports {OLD_NAME}\n");
    refuses(life(), "/etc/network/interfaces.d/vmbr1", &bridge, 2).await;
}

#[tokio::test]
async fn files_of_other_cards_stop_nothing() {
    let mut life = Life::of(machine());
    for (path, text) in [
        (
            "/etc/netplan/50-cloud-init.yaml",
            "network:\n  ethernets:\n    eth0:\n      dhcp4: true\n",
        ),
        (
            "/etc/netplan/90-default.yaml",
            "network:\n  ethernets:\n    all-eth: {match: {name: eth*}, dhcp4: true}\n",
        ),
        ("/etc/systemd/network/80-all.network", "[Match]\nName=en*\n"),
        ("/etc/network/interfaces.d/nas", "iface enx00e04c680001 inet dhcp\n"),
        (
            "/run/NetworkManager/system-connections/Wired connection 1.nmconnection",
            "[connection]\nid=Wired connection 1\ntype=ethernet\ninterface-name=enx00e04c680001\n",
        ),
        (
            "/etc/NetworkManager/system-connections/any.nmconnection",
            "[connection]\nid=any\ntype=ethernet\n",
        ),
    ] {
        life.machine.put_file(path, text.as_bytes()).unwrap();
    }
    assert_eq!(life.apply(&task()).await, Outcome::Done);
}

#[tokio::test]
async fn a_later_file_that_wins_is_reported_before_the_reboot() {
    let mut life = Life::of(machine());
    assert_eq!(life.apply(&task()).await, Outcome::Done);
    let text = "[Match]\nName=en*\n";
    life.machine
        .put_file("/etc/systemd/network/05-all.network", text.as_bytes())
        .unwrap();
    let (found, why, _) = blocked(life.apply(&task()).await);
    assert!(
        found.contains("/etc/systemd/network/05-all.network:2: Name=en*"),
        "{found}"
    );
    assert!(why.contains("after a reboot"), "{why}");
    assert!(life.machine.addresses(link::BACKPLANE).is_some());
}

#[tokio::test]
async fn a_missing_program_is_reported_before_anything_changes() {
    for (program, cure) in [
        ("/usr/sbin/netplan", "apt install netplan.io"),
        ("/usr/bin/networkctl", "apt install --reinstall systemd"),
    ] {
        let mut life = Life::of(machine());
        life.machine.remove(Path::new(program)).await.unwrap();
        let (found, _, next) = blocked(life.apply(&task()).await);
        assert!(found.contains(program) && next.contains(cure), "{found} {next}");
        assert_eq!(life.machine.file(link::PATH), None);
    }
}
