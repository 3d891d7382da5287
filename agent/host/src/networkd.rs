//! `systemd-networkd`, which manages the backplane's card, and NetworkManager, which must not.

use std::time::Duration;

use crate::{Command, System};

/// The unit of systemd-networkd, which may run beside NetworkManager.
pub const UNIT: &str = "systemd-networkd.service";
/// The unit of NetworkManager.
pub const NETWORK_MANAGER: &str = "NetworkManager.service";
const SOON: Duration = Duration::from_secs(10);

/// Reads networkd's files again and applies them to the card `name`; the other cards stay as they are.
pub fn reconfigure(name: &str) -> [Command; 2] {
    [
        Command::change("networkctl").arg("reload").timeout(SOON),
        Command::change("networkctl").args(["reconfigure", name]).timeout(SOON),
    ]
}

/// Whether NetworkManager runs; false when systemd does not answer.
pub async fn beside_network_manager(host: &dyn System) -> bool {
    let state = host.unit_state(NETWORK_MANAGER).await;
    state.is_ok_and(|state| state.active == "active")
}

/// Whether `unit` is installed and runs, or starts at boot; false when systemd does not answer.
pub(crate) async fn runs(host: &dyn System, unit: &str) -> bool {
    let state = host.unit_state(unit).await.unwrap_or_default();
    state.load == "loaded" && (state.active == "active" || state.enabled == "enabled")
}

/// `nmcli device set NAME managed yes|no`, until the next boot. It is needed because NetworkManager keeps a card that
/// it has activated, whatever its files say; after the boot the files count.
pub fn managed(name: &str, is: bool) -> Command {
    let word = if is { "yes" } else { "no" };
    Command::change("nmcli")
        .args(["device", "set", name, "managed", word])
        .timeout(SOON)
}
