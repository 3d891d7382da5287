use heeler_host::{RunError, System, initramfs};

use super::initramfs_conf_valid::InitramfsConfValid;
use super::{INITRAMFS_DUE, content, remove};
use crate::engine::{Op, Plan, Step, StepName};

/// The initramfs that boots is there, and made after the repair of initramfs-tools.
pub(super) struct InitramfsMade;

pub(super) struct Observed {
    installed: bool,
    valid: bool,
    due: Option<Vec<u8>>,
    missing: Option<String>,
}

impl Step for InitramfsMade {
    const NAME: StepName = "InitramfsMade";
    type Observed = Observed;

    async fn observe(&self, host: &dyn System) -> Result<Observed, RunError> {
        let conf = content(host, initramfs::CONF).await?;
        Ok(Observed {
            installed: initramfs::is_installed(host).await,
            valid: conf.is_none_or(|conf| initramfs::is_valid(&conf)),
            due: content(host, INITRAMFS_DUE).await?,
            missing: initramfs::missing(host).await?,
        })
    }

    fn plan(&self, seen: &Observed) -> Plan {
        if !seen.installed {
            return Plan::NotApplicable("update-initramfs is not installed".to_owned());
        }
        if !seen.valid {
            return Plan::After(InitramfsConfValid::NAME);
        }
        if seen.due.is_none() && seen.missing.is_none() {
            return Plan::Satisfied;
        }
        let meaning = match &seen.missing {
            Some(path) => format!("make {path}, which the firmware loads at the boot"),
            None => "make the initramfs again, after the repair of initramfs-tools".to_owned(),
        };
        let make = Op::Job(initramfs::update_command()).explained(meaning);
        let forget = seen.due.as_ref().map(|bytes| remove(INITRAMFS_DUE, bytes));
        Plan::change([make].into_iter().chain(forget).collect())
    }
}
