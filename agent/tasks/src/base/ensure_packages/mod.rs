//! Proxmox's packages are installed, and ZFS with its module.

mod danger;
mod module_built;
mod packages_installed;
mod plan_file;
mod plan_followed;
mod set;
mod why;

use heeler_proto::EnsurePackages;

use crate::engine::AnyStep;
use crate::task::{Past, Work};

use module_built::ModuleBuilt;
use packages_installed::PackagesInstalled;
use plan_followed::PlanFollowed;

impl Work for EnsurePackages {
    fn steps(&self, _: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        vec![
            Box::new(PackagesInstalled { task: self.clone() }),
            Box::new(PlanFollowed),
            Box::new(ModuleBuilt),
        ]
    }
}
