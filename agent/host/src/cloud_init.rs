//! cloud-init, which sets up a fresh card at its first boot, and at every later boot may write names anew.

use std::path::Path;

use crate::{File, System};

/// Its configuration; there as long as it is installed.
const CONFIG: &str = "/etc/cloud/cloud.cfg";
/// With this file it does nothing at boot (docs.cloud-init.io, "How to disable cloud-init").
const DISABLED: &str = "/etc/cloud/cloud-init.disabled";
/// Its generator writes this when it will run in this boot.
const ENABLED: &str = "/run/cloud-init/enabled";
/// It writes this as the last thing of a boot.
const RESULT: &str = "/run/cloud-init/result.json";

/// What cloud-init does on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloudInit {
    /// Not installed, or switched off.
    Off,
    /// It still sets the machine up.
    Running,
    /// It has finished for this boot, and runs again at the next one.
    AtEachBoot,
}

/// Looks at its files; it need not be installed.
pub async fn state(host: &dyn System) -> CloudInit {
    let there = async |path: &str| host.mode(Path::new(path)).await.is_ok();
    if !there(CONFIG).await || there(DISABLED).await {
        CloudInit::Off
    } else if there(ENABLED).await && !there(RESULT).await {
        CloudInit::Running
    } else {
        CloudInit::AtEachBoot
    }
}

/// The file that switches it off. `preserve_hostname` and `manage_etc_hosts` below `/etc/cloud` are not enough: the
/// user-data of Raspberry Pi Imager on the boot partition has `manage_etc_hosts: true`, and user-data comes last.
pub fn off() -> File {
    File::text(
        DISABLED,
        "Heeler sets this node's names. cloud-init would write them anew at each boot.\n",
    )
}
