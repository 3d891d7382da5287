use heeler_host::facts::{collect, nics};
use heeler_host::{Output, arc, hostid, ip, timedatectl};

use crate::machine::{Recorded, output};

fn machine() -> Recorded {
    let mut machine = Recorded::new("blank");
    for (command, name) in [
        (ip::addresses_command(), "iproute2-6.15.0/addr"),
        (ip::routes_command(), "iproute2-6.15.0/route"),
        (timedatectl::command(), "systemd-257/timedatectl-show"),
    ] {
        machine.answer(&command, output(name));
    }
    // The recording's fields: name, MAC, how the MAC was assigned, carrier, driver, device.
    for line in output("debian-13/sys-class-net").stdout.lines() {
        let [name, mac, _, carrier, ref rest @ ..] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let folder = format!("/sys/class/net/{name}");
        let kind = if name == "lo" { "772" } else { "1" };
        for (file, text) in [("address", mac), ("carrier", carrier), ("type", kind)] {
            machine
                .files
                .insert(format!("{folder}/{file}").into(), format!("{text}\n"));
        }
        if let [driver, _] = rest
            && !driver.is_empty()
        {
            let bus = driver.split("/drivers/").next().unwrap();
            machine.link(&format!("{folder}/device/driver"), driver);
            machine.link(&format!("{folder}/device/subsystem"), bus);
        }
    }
    for (path, text) in [
        ("/proc/sys/kernel/hostname", "k8sctl-pi5l\n"),
        ("/proc/sys/kernel/arch", "x86_64\n"),
        ("/proc/device-tree/serial-number", "10000000deadbeef\0"),
        ("/proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0"),
        ("/sys/class/dmi/id/product_serial", "another"),
        ("/proc/meminfo", "MemTotal:        8062908 kB\n"),
    ] {
        machine.files.insert(path.into(), text.to_owned());
    }
    machine
        .files
        .insert("/etc/os-release".into(), output("debian-13/os-release").stdout);
    machine
}

#[tokio::test]
async fn wired_cards_are_listed_with_bus_driver_and_address() {
    let nics = nics(&machine()).await.unwrap();
    let seen: Vec<_> = nics
        .iter()
        .map(|nic| (nic.name.as_str(), nic.bus.as_str(), nic.driver.as_str(), nic.carrier))
        .collect();
    assert_eq!(
        seen,
        [
            ("eth0", "virtio", "virtio_net", true),
            ("eth1", "usb", "cdc_ether", true)
        ]
    );
    assert_eq!(nics[0].addresses, ["10.10.80.50/24"]);
    assert!(nics[1].addresses.is_empty(), "a link-local address is none");
    assert_eq!(nics[1].mac, "00:e0:4c:68:00:01");
}

#[tokio::test]
async fn wireless_cards_are_left_out() {
    let mut machine = machine();
    machine
        .files
        .insert("/sys/class/net/eth0/wireless/status".into(), String::new());
    machine.link("/sys/class/net/eth1/phy80211", "/sys/class/ieee80211/phy0");
    assert!(nics(&machine).await.unwrap().is_empty());
}

#[tokio::test]
async fn all_facts_of_a_machine_are_read() {
    let mut machine = machine();
    let facts = collect(&machine).await.unwrap();
    assert_eq!(
        facts.hardware.serial, "10000000deadbeef",
        "the device tree comes before DMI"
    );
    assert_eq!(facts.hardware.model, "Raspberry Pi 5 Model B Rev 1.0");
    assert_eq!(facts.hardware.os, "Debian GNU/Linux 13 (trixie)");
    assert_eq!(
        (facts.hardware.memory_bytes, facts.disks.len(), facts.pools.read.len()),
        (8_062_908 << 10, 3, 0)
    );
    assert_eq!(
        (facts.zfs_version.as_str(), facts.hostid, facts.clock_synchronised),
        ("2.3.9-0+deb13u1", None, false)
    );
    let shown = output("systemd-257/timedatectl-show");
    let stdout = shown.stdout.replace("NTPSynchronized=no", "NTPSynchronized=yes");
    machine.answer(&timedatectl::command(), Output { stdout, ..shown });
    assert!(collect(&machine).await.unwrap().clock_synchronised);
}

#[tokio::test]
async fn routes_are_read() {
    let machine = machine();
    let routes = ip::routes(&machine).await.unwrap();
    assert_eq!(
        (
            routes[0].destination.as_str(),
            routes[0].gateway.as_str(),
            routes[0].device.as_str()
        ),
        ("default", "10.10.80.1", "eth0")
    );
}

#[tokio::test]
async fn the_cap_of_the_cache_is_read_from_the_module() {
    let mut machine = machine();
    assert_eq!(
        arc::read(&machine).await.unwrap(),
        None,
        "without the module there is none"
    );
    machine.files.insert(arc::PARAMETER.into(), "0\n".to_owned());
    machine
        .files
        .insert(arc::STATS.into(), output("debian-13/arcstats").stdout);
    let found = arc::read(&machine).await.unwrap().unwrap();
    assert_eq!(
        (found.parameter_bytes, found.max_bytes, found.size_bytes),
        (0, 632_453_120, 960)
    );
    machine.files.insert(arc::STATS.into(), "garbage".to_owned());
    assert!(arc::read(&machine).await.is_err());
}

#[tokio::test]
async fn a_host_id_is_four_bytes_lowest_first() {
    let mut machine = machine();
    for (bytes, id) in [
        ("\x32\x50\x0a\x0a", Some(0x0a0a_5032)),
        ("\0\0\0\0", None),
        ("\x01\x02", None),
        ("", None),
    ] {
        machine.files.insert(hostid::PATH.into(), bytes.to_owned());
        assert_eq!(hostid::read(&machine).await.unwrap(), id);
    }
    let file = hostid::file(0x0a0a_5032);
    assert_eq!(
        (file.content.bytes().as_slice(), file.mode),
        (b"\x32\x50\x0a\x0a".as_slice(), 0o644)
    );
}
