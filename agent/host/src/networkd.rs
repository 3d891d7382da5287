//! `systemd-networkd`, which has the backplane's card, and NetworkManager, which must let go of it.

use std::time::Duration;

use crate::{Command, System};

/// Its unit; it may run beside NetworkManager.
pub const UNIT: &str = "systemd-networkd.service";
pub(crate) const NETWORK_MANAGER: &str = "NetworkManager.service";
const SOON: Duration = Duration::from_secs(10);

/// What it goes by is read again, and the card `name` is as that says; all other cards stay as they are.
#[must_use]
pub fn reconfigure(name: &str) -> [Command; 2] {
    [
        Command::new("networkctl").arg("reload").timeout(SOON),
        Command::new("networkctl").args(["reconfigure", name]).timeout(SOON),
    ]
}

/// Whether NetworkManager runs; a systemd that does not answer says no.
pub async fn beside_network_manager(host: &dyn System) -> bool {
    let state = host.unit_state(NETWORK_MANAGER).await;
    state.is_ok_and(|state| state.active == "active")
}

/// Whether `unit` is installed and runs, or starts with the machine; a systemd that does not answer says no.
pub(crate) async fn runs(host: &dyn System, unit: &str) -> bool {
    let state = host.unit_state(unit).await.unwrap_or_default();
    state.load == "loaded" && (state.active == "active" || state.enabled == "enabled")
}

/// NetworkManager has the card `name`, or leaves it alone, until the next boot: then the files count. What it has on a
/// card already it would keep whatever they say.
#[must_use]
pub fn managed(name: &str, is: bool) -> Command {
    let word = if is { "yes" } else { "no" };
    Command::new("nmcli")
        .args(["device", "set", name, "managed", word])
        .timeout(SOON)
}
