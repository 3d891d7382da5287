use heeler_host::firmware::{self, Bootloader};
use heeler_host::{RunError, System};

use crate::engine::{Plan, Step, StepName};

/// The firmware in the board's EEPROM is the newest that the node has. Heeler tells when it is not, and does not write
/// it: a power cut during that can leave a board that needs a rescue card.
pub(super) struct BootloaderCurrent;

impl Step for BootloaderCurrent {
    const NAME: StepName = "BootloaderCurrent";
    type Observed = Option<Bootloader>;

    async fn observe(&self, host: &dyn System) -> Result<Self::Observed, RunError> {
        match firmware::model(host).await? {
            Some(_) => firmware::bootloader(host).await.map(Some),
            None => Ok(None),
        }
    }

    fn plan(&self, found: &Self::Observed) -> Plan {
        let told = match found {
            None | Some(Bootloader::Current | Bootloader::Unknown) => return Plan::Satisfied,
            Some(Bootloader::Older) => {
                "the board has an older bootloader than the node could give it; when its power is safe, on the node: sudo rpi-eeprom-update -a, and restart it".to_owned()
            }
            Some(Bootloader::Frozen) => {
                "the board's bootloader is older than the node could give it, and FREEZE_VERSION in its configuration keeps it".to_owned()
            }
            Some(Bootloader::Failed(message)) => {
                format!("whether the board's bootloader is current is not known; rpi-eeprom-update failed: {message}")
            }
        };
        Plan::Told(told)
    }
}
