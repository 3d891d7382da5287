//! The node starts as wanted, and spares its SD card.

mod boot_configured;
mod boot_tried;
mod bootloader_current;
mod goal;
mod journal_bounded;
mod swap_off;

use heeler_proto::EnsureBoot;

use crate::engine::AnyStep;
use crate::task::{Past, Work};

use boot_configured::BootConfigured;
use boot_tried::BootTried;
use bootloader_current::BootloaderCurrent;
use journal_bounded::JournalBounded;
use swap_off::SwapOff;

impl Work for EnsureBoot {
    fn steps(&self, _: &Past<'_>) -> Vec<Box<dyn AnyStep>> {
        let mut steps: Vec<Box<dyn AnyStep>> = Vec::new();
        if let Some(journal) = self.journal {
            steps.push(Box::new(JournalBounded::at(journal)));
        }
        if self.swap.is_some() {
            steps.push(Box::new(SwapOff));
        }
        if self.pages.is_some() || self.containers.is_some() || self.pcie.is_some() {
            let wish = || self.clone();
            steps.push(Box::new(BootloaderCurrent));
            steps.push(Box::new(BootTried { wish: wish() }));
            steps.push(Box::new(BootConfigured { wish: wish() }));
        }
        steps
    }
}
