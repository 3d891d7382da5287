use heeler_host::{File, RunError, System, initramfs};

use super::{content, initramfs_is_due, keep};
use crate::engine::{Op, Plan, Step, StepName};

/// The configuration of update-initramfs is valid, or not there. A card image of 2025-12 came with binary rubbish in it,
/// and no package that makes an initramfs could be configured.
pub(super) struct InitramfsConfValid;

impl Step for InitramfsConfValid {
    const NAME: StepName = "InitramfsConfValid";
    type Observed = Option<Vec<u8>>;

    async fn observe(&self, host: &dyn System) -> Result<Option<Vec<u8>>, RunError> {
        content(host, initramfs::CONF).await
    }

    fn plan(&self, found: &Option<Vec<u8>>) -> Plan {
        match found {
            Some(bytes) if !initramfs::is_valid(bytes) => Plan::change(vec![
                keep(initramfs::CONF, bytes),
                initramfs_is_due(),
                Op::Write(File::text(initramfs::CONF, initramfs::PACKAGED)),
            ]),
            _ => Plan::Satisfied,
        }
    }
}
