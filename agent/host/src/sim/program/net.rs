use super::{complained, printed};
use crate::sim::state::State;
use crate::{Output, networkd};

/// Programs that change or show the network.
pub(super) fn run(state: &mut State, program: &str, args: &[&str]) -> Option<Output> {
    let missing = |name: &str| complained(1, format!("Cannot find device \"{name}\"\n"));
    match (program, args) {
        ("udevadm", ["control", "--reload"]) => {}
        ("udevadm", ["trigger", "--action=add", "--settle", "--subsystem-match=net", name]) => {
            state.name_by_udev(name.strip_prefix("--sysname-match=")?);
        }
        ("ifreload", ["-a"]) => {
            state.bridges();
            state.configure();
        }
        ("ifreload", ["-a", "-s"]) => {}
        ("netplan", ["generate"]) => {}
        ("networkctl", _) if !state.kernel.active.contains(networkd::UNIT) => {
            return Some(complained(
                1,
                "Failed to reload network settings: Unit dbus-org.freedesktop.network1.service not found.\n",
            ));
        }
        ("networkctl", ["reload"]) => {}
        ("networkctl", ["reconfigure", name]) => {
            if state.link(name).is_none() {
                return Some(complained(
                    1,
                    format!("Failed to resolve interface \"{name}\": No such device\n"),
                ));
            }
            state.configure();
        }
        ("nmcli", ["device", "set", name, "managed", "yes" | "no"]) => {
            if state.link(name).is_none() {
                return Some(complained(10, format!("Error: Device '{name}' not found.\n")));
            }
        }
        ("ip", ["link", "set", "dev", name, more @ ..]) => {
            let Some(link) = state.kernel.links.iter_mut().find(|link| link.name == *name) else {
                return Some(missing(name));
            };
            match more {
                ["up"] => link.up = true,
                ["down"] => link.up = false,
                ["name", _] if link.up => {
                    return Some(complained(2, "RTNETLINK answers: Device or resource busy\n"));
                }
                ["name", new] => (*new).clone_into(&mut link.name),
                _ => return None,
            }
        }
        ("ip", ["address", "flush", "dev", name, "scope", "global"]) => {
            let bridge = state.kernel.bridge.as_mut().filter(|bridge| bridge.name == *name);
            match (bridge, state.kernel.links.iter_mut().find(|link| link.name == *name)) {
                (Some(bridge), _) => (bridge.address, bridge.gateway) = (None, None),
                (None, Some(link)) => (link.own, link.given) = (None, None),
                (None, None) => return Some(missing(name)),
            }
        }
        ("ping", ["-n", "-q", "-c", "3", "-i", "0.3", "-W", "2", "-I", name, address]) => {
            let reached = state.pings(name, address.parse().ok()?);
            let received = if reached { 3 } else { 0 };
            return Some(Output {
                code: i32::from(!reached),
                stdout: format!("3 packets transmitted, {received} received\n"),
                stderr: String::new(),
            });
        }
        ("dpkg-query", ["-W", "-f=${Version}", "ifupdown2"]) => {
            return Some(match &state.os.ifupdown2 {
                Some(version) => printed(version.clone()),
                None => complained(1, "dpkg-query: no packages found matching ifupdown2\n"),
            });
        }
        _ => return None,
    }
    state.publish();
    Some(printed(""))
}
