//! Reboots through logind (org.freedesktop.login1(5)).

use super::bus::{Bus, Object};
use crate::UnitError;

const MANAGER: Object<'static> = Object {
    service: "org.freedesktop.login1",
    path: "/org/freedesktop/login1",
    interface: "org.freedesktop.login1.Manager",
};

/// What the firmware takes as "partition 0, and tryboot.txt instead of config.txt" when the kernel restarts with it.
const TRIAL: &str = "0 tryboot";

/// Requests the reboot; systemd then stops the services in order, this process too. A trial is asked for as by
/// `systemctl reboot --reboot-argument`.
pub(super) async fn reboot(bus: &Bus, trial: bool) -> Result<(), UnitError> {
    let failed = |error: super::bus::CallError| error.unit("reboot", "the node");
    if trial {
        let set = bus.call(MANAGER, "SetRebootParameter", &(TRIAL,)).await;
        set.map_err(failed)?;
    }
    let interactive = false;
    let asked = bus.call(MANAGER, "Reboot", &(interactive,)).await;
    asked.map(drop).map_err(failed)
}
