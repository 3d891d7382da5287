use std::collections::BTreeMap;

use super::state::State;
use crate::{UnitAction, UnitError, UnitState};

/// The installed unit files, with systemd's UnitFileState of each.
pub(super) type Units = BTreeMap<String, &'static str>;

/// The units that Debian's zfsutils-linux and zfs-zed install.
const ZFS: [(&str, &str); 13] = [
    ("zfs-scrub-monthly@.timer", "disabled"),
    ("zfs-import-cache.service", "enabled"),
    ("zfs-import-scan.service", "disabled"),
    ("zfs-import.target", "enabled"),
    ("zfs-import.service", "masked"),
    ("zfs-load-key.service", "masked"),
    ("zfs-load-module.service", "enabled"),
    ("zfs-mount.service", "enabled"),
    ("zfs-share.service", "enabled"),
    ("zfs-volume-wait.service", "enabled"),
    ("zfs-volumes.target", "enabled"),
    ("zfs-zed.service", "enabled"),
    ("zfs.target", "enabled"),
];

const OTHERS: [(&str, &str); 9] = [
    ("NetworkManager.service", "enabled"),
    ("heeler-agent.service", "enabled"),
    ("heeler-guard.service", "static"),
    ("heeler-guard.timer", "enabled"),
    ("ssh.service", "enabled"),
    ("systemd-journald.service", "static"),
    ("systemd-networkd.service", "disabled"),
    ("systemd-timesyncd.service", "enabled"),
    ("systemd-modules-load.service", "static"),
];

/// What dphys-swapfile makes.
const SWAP_FILE: &str = "/var/swap";

pub(super) fn installed(with_zfs: bool) -> Units {
    let zfs = ZFS.iter().filter(|_| with_zfs);
    let all = OTHERS.iter().chain(zfs);
    all.map(|(name, state)| ((*name).to_owned(), *state)).collect()
}

impl State {
    pub(super) fn enabled(&self, unit: &str) -> bool {
        self.os.units.get(unit) == Some(&"enabled")
    }

    pub(super) fn unit_state(&self, unit: &str) -> UnitState {
        let file = self.unit_file(unit);
        let word = |is: bool, yes: &str, no: &str| if is { yes.to_owned() } else { no.to_owned() };
        UnitState {
            load: match file {
                None => "not-found",
                Some("masked") => "masked",
                Some(_) => "loaded",
            }
            .to_owned(),
            active: word(self.kernel.active.contains(unit), "active", "inactive"),
            enabled: file.unwrap_or_default().to_owned(),
        }
    }

    /// The state of its own file or of its template.
    fn unit_file(&self, unit: &str) -> Option<&'static str> {
        let template = || {
            let (name, rest) = unit.split_once('@')?;
            let (_, kind) = rest.rsplit_once('.')?;
            self.os.units.get(&format!("{name}@.{kind}"))
        };
        self.os.units.get(unit).or_else(template).copied()
    }

    pub(super) fn act(&mut self, unit: &str, action: UnitAction) -> Result<(), UnitError> {
        let verb = match action {
            UnitAction::Enable => "enable",
            UnitAction::Disable => "disable",
            UnitAction::Start => "start",
            UnitAction::Stop => "stop",
            UnitAction::Restart => "restart",
            UnitAction::Reload => return Ok(()),
        };
        // An instance of a template gets its own state with the first action on it.
        if let Some(file) = self.unit_file(unit) {
            self.os.units.entry(unit.to_owned()).or_insert(file);
        }
        let Some(file) = self.os.units.get_mut(unit) else {
            let problem = match action {
                UnitAction::Enable | UnitAction::Disable => format!("Unit file {unit} does not exist."),
                _ => format!("Unit {unit} not found."),
            };
            return Err(UnitError::Refused {
                action: verb.to_owned(),
                unit: unit.to_owned(),
                problem,
            });
        };
        if *file == "masked" && action != UnitAction::Disable && action != UnitAction::Stop {
            return Err(UnitError::Refused {
                action: verb.to_owned(),
                unit: unit.to_owned(),
                problem: format!("Unit {unit} is masked."),
            });
        }
        match action {
            UnitAction::Enable if *file == "disabled" => *file = "enabled",
            UnitAction::Disable if *file == "enabled" => *file = "disabled",
            UnitAction::Start | UnitAction::Restart => {
                if self.take_fault(unit).is_some() {
                    return Err(UnitError::Job {
                        action: verb.to_owned(),
                        unit: unit.to_owned(),
                        result: "failed".to_owned(),
                    });
                }
                self.started(unit);
                if unit == crate::pmxcfs::UNIT && !self.kernel.active.contains(unit) {
                    return Err(UnitError::Job {
                        action: verb.to_owned(),
                        unit: unit.to_owned(),
                        result: "failed".to_owned(),
                    });
                }
            }
            UnitAction::Stop => {
                self.kernel.active.remove(unit);
                if Self::is_guard(unit) {
                    self.kernel.guard_due_ms = None;
                }
                if unit == crate::swap::OLDER {
                    self.kernel.swaps.remove(SWAP_FILE);
                }
                if unit == crate::pmxcfs::UNIT {
                    self.stop_pmxcfs();
                }
            }
            UnitAction::Enable | UnitAction::Disable | UnitAction::Reload => {}
        }
        Ok(())
    }

    /// Runs the unit's program and makes it active; a condition that is not met skips it.
    pub(super) fn started(&mut self, unit: &str) {
        let cache = self.os.files.read(std::path::Path::new("/etc/zfs/zpool.cache"));
        let cached = cache.is_ok_and(|cache| !cache.is_empty());
        match unit {
            timer if Self::is_guard(timer) && !self.start_timer() => return,
            "zfs-load-module.service" if !self.load_zfs() => return,
            "zfs-import-cache.service" if !(cached && self.kernel.zfs_loaded) => return,
            "zfs-mount.service" | "zfs-zed.service" if !self.kernel.zfs_loaded => return,
            "systemd-timesyncd.service" | "chrony.service" => self.read_time_servers(unit),
            crate::pmxcfs::UNIT if !self.start_pmxcfs() => return,
            "zfs-import-cache.service" => super::program::import_from_cache(self),
            "zfs-mount.service" => {
                super::program::mount_all(self);
            }
            crate::journald::SERVICE => self.journald_starts(),
            crate::swap::OLDER => {
                self.kernel.swaps.insert(SWAP_FILE.to_owned());
            }
            _ => {}
        }
        self.kernel.active.insert(unit.to_owned());
    }
}
