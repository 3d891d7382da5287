//! Proxmox has groups and people with their roles. Nothing that others set is removed.

mod groups_exist;
mod people_exist;
mod roles_given;

use heeler_proto::EnsureAccess;

use super::guests_can_run::GuestsCanRun;
use super::proxmox_up::ProxmoxUp;
use crate::engine::AnyStep;
use crate::task::{Past, Work};

use groups_exist::GroupsExist;
use people_exist::PeopleExist;
use roles_given::RolesGiven;

impl Work for EnsureAccess {
    fn steps(&self, _: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        vec![
            Box::new(ProxmoxUp),
            Box::new(GuestsCanRun),
            Box::new(GroupsExist { task: self.clone() }),
            Box::new(PeopleExist { task: self.clone() }),
            Box::new(RolesGiven { task: self.clone() }),
        ]
    }
}
