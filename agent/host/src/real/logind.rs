//! Reboots through logind (org.freedesktop.login1(5)).

use super::bus::{Bus, Object};
use crate::UnitError;

const MANAGER: Object<'static> = Object {
    service: "org.freedesktop.login1",
    path: "/org/freedesktop/login1",
    interface: "org.freedesktop.login1.Manager",
};

/// Requests the reboot; systemd then stops the services in order, this process too.
pub(super) async fn reboot(bus: &Bus) -> Result<(), UnitError> {
    let interactive = false;
    let asked = bus.call(MANAGER, "Reboot", &(interactive,)).await;
    asked.map(drop).map_err(|error| error.unit("reboot", "the node"))
}
