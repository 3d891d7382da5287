use std::path::Path;

use serde_json::json;

use super::{complained, printed};
use crate::sim::state::{Mount, State};
use crate::{Output, initramfs};

/// In place of the link /etc/localtime.
const TIMEZONE: &str = "/etc/timezone";

/// Programs about the node itself, and small ones without state.
pub(super) fn run(state: &mut State, program: &str, args: &[&str]) -> Option<Output> {
    Some(match (program, args) {
        ("uname", ["-m"]) => printed(format!("{}\n", state.board.architecture)),
        ("uname", ["-r"]) => printed(format!("{}\n", state.release())),
        ("hostnamectl", ["set-hostname", name]) => {
            state.os.files.put("/etc/hostname", format!("{name}\n"));
            (*name).clone_into(&mut state.os.name);
            printed("")
        }
        ("hostnamectl", ["hostname"]) => printed(format!("{}\n", state.os.name)),
        ("timedatectl", ["show"]) => {
            let synchronised = if state.kernel.clock_synchronised { "yes" } else { "no" };
            let zone = state.os.files.read(Path::new(TIMEZONE)).unwrap_or(b"Etc/UTC");
            let zone = String::from_utf8_lossy(zone);
            printed(format!(
                "Timezone={zone}\nLocalRTC=no\nCanNTP=yes\nNTP=yes\nNTPSynchronized={synchronised}\n"
            ))
        }
        ("timedatectl", ["set-timezone", zone]) => {
            // zoneinfo of a minimal image; the message is systemd 252's.
            if !["Etc/UTC", "Australia/Brisbane", "Europe/Berlin"].contains(zone) {
                let text = format!("Failed to set time zone: Invalid or not installed time zone '{zone}'\n");
                return Some(complained(1, text));
            }
            state.os.files.put(TIMEZONE, zone.as_bytes());
            printed("")
        }
        ("systemctl", ["show", "--property=StatusText", "--value", unit]) => {
            let text = if state.kernel.active.contains(*unit) {
                "idle"
            } else {
                ""
            };
            printed(format!("{text}\n"))
        }
        ("journalctl", ["--quiet", "--no-pager", "--output=cat", lines, of]) => {
            let count = lines.strip_prefix("--lines=")?.parse().ok()?;
            printed(state.printed_by(of.strip_prefix("_SYSTEMD_UNIT=")?, count))
        }
        (
            "journalctl",
            [
                "--quiet",
                "--no-pager",
                "--boot",
                "--output=json",
                "--output-fields=JOURNAL_NAME,MAX_USE",
                "--lines=1",
                _,
            ],
        ) => {
            let said = |place: crate::journald::Place| {
                let name = if place.in_memory {
                    "Runtime Journal"
                } else {
                    "System Journal"
                };
                // Without an end of line between the fields: one object a line.
                format!(
                    "{}\n",
                    json!({"JOURNAL_NAME": name, "MAX_USE": place.most_bytes.to_string()})
                )
            };
            printed(state.kernel.journal.map(said).unwrap_or_default())
        }
        ("journalctl", ["--flush"]) => {
            state.flush_journal();
            printed("")
        }
        ("getconf", ["PAGESIZE"]) => printed(format!("{}\n", state.kernel.loaded.flavour.page_bytes())),
        ("vcgencmd", ["get_throttled"]) => printed(format!("throttled={:#x}\n", state.board.throttled)),
        ("rpi-eeprom-update", ["-j", "-m", "/dev/stdout"]) => printed(
            "BOOTLOADER: up to date\n   CURRENT: Mon Sep 23 13:02:56 UTC 2024 (1727096576)\n    \
             LATEST: Mon Sep 23 13:02:56 UTC 2024 (1727096576)\n{\n  \"EXITCODE\": \"EXIT_SUCCESS\",\n  \
             \"BOOTLOADER_CURRENT\": 1727096576,\n  \"BOOTLOADER_LATEST\": 1727096576\n}\n",
        ),
        ("modinfo", ["-k", release, "-F", "version", "zfs"]) => match state.os.module_of(release) {
            Some(version) => printed(format!("{version}\n")),
            None => complained(1, "modinfo: ERROR: Module zfs not found.\n"),
        },
        ("swapoff", [device]) => match state.kernel.swaps.remove(*device) {
            true => printed(""),
            false => complained(4, format!("swapoff: {device}: swapoff failed: Invalid argument\n")),
        },
        ("cloud-init", ["status", "--format", "json"]) => {
            let status = json!({"boot_status_code": "enabled-by-generator", "datasource": "nocloud",
                "detail": "DataSourceNoCloud", "errors": [], "extended_status": "done", "status": "done"});
            printed(format!("{status}\n"))
        }
        ("update-initramfs", ["-u", ..]) => {
            let conf = state.os.files.text(initramfs::CONF).unwrap_or_default();
            if conf.contains('\0') {
                let said = conf.replace('\0', "");
                let text = format!(
                    "/usr/sbin/update-initramfs: 1: {}: {said}: not found\n",
                    initramfs::CONF
                );
                return Some(complained(127, text));
            }
            if state.os.files.has(Path::new("/boot/firmware/config.txt")) {
                state.os.files.put("/boot/firmware/initramfs_2712", "initramfs");
            }
            printed(format!(
                "update-initramfs: Generating /boot/initrd.img-{}\n",
                state.release()
            ))
        }
        ("udevadm", ["settle" | "trigger", ..]) => printed(""),
        ("zgenhostid", [id]) => {
            if state.os.files.has(Path::new("/etc/hostid")) {
                return Some(complained(1, "zgenhostid: /etc/hostid already exists\n"));
            }
            let id = u32::from_str_radix(id.trim_start_matches("0x"), 16).ok()?;
            state.os.files.put("/etc/hostid", id.to_le_bytes());
            printed("")
        }
        ("umount", [path]) => {
            let Some(at) = state.kernel.mounted.iter().rposition(|mount| mount.target == *path) else {
                return Some(complained(32, format!("umount: {path}: not mounted.\n")));
            };
            state.kernel.mounted.remove(at);
            printed("")
        }
        ("mount", ["--bind", from, to]) => {
            let Some(mount) = state.mounts().into_iter().rfind(|mount| mount.target == *from) else {
                return Some(complained(
                    32,
                    format!("mount: {to}: special device {from} does not exist.\n"),
                ));
            };
            state.kernel.mounted.push(Mount::new(mount.source, *to, mount.kind));
            printed("")
        }
        ("mkdir", ["-p", path]) => match state.change(Path::new(path), |files, path| files.folder(path)) {
            Ok(()) => printed(""),
            Err(error) => complained(1, format!("mkdir: cannot create directory '{path}': {error}\n")),
        },
        _ => return None,
    })
}
