//! The firmware of a Raspberry Pi: it reads config.txt, or tryboot.txt once, and starts the kernel that it names.

use super::power::Loss;
use super::state::State;
use crate::firmware::{self, ConfigTxt, Flavour};

/// What the firmware loaded.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub(super) flavour: Flavour,
    /// What the kernel gets: the firmware's own parameters come first.
    pub(super) line: String,
    /// Whether it was a trial.
    pub(super) trial: bool,
}

impl Default for Loaded {
    fn default() -> Self {
        Self {
            flavour: Flavour::Pi5,
            line: "console=tty1 root=PARTUUID=4845454c-02 rootfstype=ext4 rootwait".to_owned(),
            trial: false,
        }
    }
}

impl State {
    pub(super) fn is_pi(&self) -> bool {
        self.board.model.starts_with("Raspberry Pi") && self.board.architecture == "aarch64"
    }

    /// The boot partition of a fresh card.
    pub(super) fn fresh_boot_partition(files: &mut super::tree::Tree) {
        files.put_mode(
            firmware::CONFIG,
            "dtparam=audio=on\nauto_initramfs=1\narm_64bit=1\n\n[cm4]\notg_mode=1\n\n[all]\n",
            0o755,
        );
        let line =
            "console=serial0,115200 console=tty1 root=PARTUUID=4845454c-02 rootfstype=ext4 fsck.repair=yes rootwait\n";
        files.put_mode(firmware::LINE, line, 0o755);
        for flavour in [Flavour::V8, Flavour::Pi5] {
            for name in [flavour.kernel(), flavour.initramfs()] {
                files.put_mode(format!("{}/{name}", firmware::FOLDER), name, 0o755);
            }
            files.folder(format!("/lib/modules/6.12.47+rpt-{}", flavour.suffix()));
        }
    }

    /// Loads a kernel; None when it does not start, and stays dark until its power is cut. The request for a trial
    /// survives a restart alone, and is gone before the files are read.
    pub(super) fn load_kernel(&mut self) -> Option<Loaded> {
        if !self.is_pi() {
            return Some(Loaded::default());
        }
        let trial = self.kernel.trial_asked && self.power.loss() == Some(Loss::Reboot);
        let text = |path: &str| self.os.files.text(path);
        let config = text(if trial { firmware::TRIAL } else { firmware::CONFIG })?;
        let config = ConfigTxt {
            text: &config,
            board: firmware::board_of(&self.board.model),
        };
        let usual = match config.board {
            Some("pi5") => Flavour::Pi5,
            _ => Flavour::V8,
        };
        let kernel = config.value("kernel").unwrap_or(usual.kernel());
        text(&format!("{}/{kernel}", firmware::FOLDER)).filter(|image| image == kernel)?;
        let flavour = [Flavour::V8, Flavour::Pi5]
            .into_iter()
            .find(|one| one.kernel() == kernel)?;
        let file = config.value("cmdline").unwrap_or("cmdline.txt");
        let line = text(&format!("{}/{file}", firmware::FOLDER))?;
        let line = line.lines().next().unwrap_or_default();
        // Without a root file system the kernel panics.
        line.split_whitespace().find(|token| token.starts_with("root="))?;
        Some(Loaded {
            flavour,
            line: format!("reboot=w coherent_pool=1M cgroup_disable=memory {line}"),
            trial,
        })
    }

    /// The running kernel's release.
    pub(super) fn release(&self) -> String {
        format!("6.12.47+rpt-{}", self.kernel.loaded.flavour.suffix())
    }

    /// Whether the kernel counts the memory of control groups: the last parameter about it wins.
    pub(super) fn counts_memory(&self) -> bool {
        let words = self.kernel.loaded.line.split_whitespace();
        let mut about = words.filter(|word| ["cgroup_disable=memory", "cgroup_enable=memory"].contains(word));
        about.next_back() != Some("cgroup_disable=memory")
    }
}
