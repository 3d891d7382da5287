//! The simulated programs. Each knows the command lines that Heeler uses and panics at any other, so that no test
//! passes by accident.

mod apt;
mod attributes;
mod blkdiscard;
mod blkid;
mod dpkg;
mod findmnt;
mod getent;
mod ip;
mod locale;
mod lsblk;
mod modprobe;
mod net;
mod node;
mod pvesm;
mod pveum;
mod sfdisk;
mod tar;
mod time_servers;
mod wipefs;
mod zdb;
mod zfs;
mod zpool;

use super::power::Gone;
use super::state::State;
use crate::{Command, Output, Stdin};

pub(in crate::sim) use zfs::mount_all;
pub(in crate::sim) use zpool::import_from_cache;

/// Output and exit code, unless the power fails.
pub(in crate::sim) type Answer = Result<Output, Gone>;

pub(in crate::sim) fn printed(stdout: impl Into<String>) -> Output {
    Output {
        code: 0,
        stdout: stdout.into(),
        stderr: String::new(),
    }
}

pub(in crate::sim) fn complained(code: i32, stderr: impl Into<String>) -> Output {
    Output {
        code,
        stdout: String::new(),
        stderr: stderr.into(),
    }
}

/// What `cat` prints.
fn copied(stdin: &Stdin) -> Output {
    match stdin {
        Stdin::Null => printed(""),
        Stdin::Secret(bytes) => printed(String::from_utf8_lossy(bytes.reveal())),
    }
}

/// # Panics
/// For a command line that the simulation does not know.
pub(in crate::sim) fn run(state: &mut State, command: &Command) -> Answer {
    let args: Vec<&str> = command.args.iter().map(String::as_str).collect();
    let args = args.as_slice();
    let answer = match command.program {
        "apt-cache" => apt::run(state, "apt-cache", args)?,
        "apt-get" if args.last() == Some(&"update") || args.contains(&"--no-install-recommends") => {
            apt::run(state, "apt-get", args)?
        }
        "blkdiscard" => blkdiscard::run(state, args)?,
        "blkid" => blkid::run(state, args),
        "cat" if args.is_empty() => Some(copied(&command.stdin)),
        "chattr" | "lsattr" => attributes::run(state, command.program, args),
        "dpkg" | "apt-get" | "lslocks" | "stat" | "dkms" | "debconf-set-selections" => {
            dpkg::run(state, command.program, args)?
        }
        "dpkg-query" if args.last() != Some(&"ifupdown2") => dpkg::run(state, "dpkg-query", args)?,
        "findmnt" => findmnt::run(state, args),
        "getent" => getent::run(state, args),
        "ip" if args.first() == Some(&"-j") => ip::run(state, args),
        "dpkg-query" | "ifreload" | "ip" | "netplan" | "networkctl" | "nmcli" | "ping" => {
            net::run(state, command.program, args)
        }
        "udevadm" if args.contains(&"--reload") || args.contains(&"--subsystem-match=net") => {
            net::run(state, command.program, args)
        }
        "locale" | "locale-gen" => locale::run(state, command.program, args)?,
        "lsblk" => lsblk::run(state, args),
        "modprobe" => modprobe::run(state, args),
        "pvesh" | "pvesm" => pvesm::run(state, command.program, args),
        "pveum" => pveum::run(state, args),
        "prlimit" => tar::run(state, args),
        "sfdisk" => sfdisk::run(state, args),
        "chronyc" => time_servers::run(state, "chronyc", args),
        "timedatectl" if args.first() == Some(&"show-timesync") => time_servers::run(state, "timedatectl", args),
        "wipefs" => wipefs::run(state, args),
        "zdb" => zdb::run(state, args),
        "zfs" => zfs::run(state, args)?,
        "zpool" => zpool::run(state, args)?,
        other => node::run(state, other, args),
    };
    match answer {
        Some(output) => {
            if command.program == "zfs" && output.ok() && command.changes {
                state.post("sysevent.fs.zfs.history_event");
            }
            Ok(output)
        }
        None => panic!("the simulated machine does not know this command: {command}"),
    }
}

/// Whether the command waits for a suspended pool; then it neither ends nor reacts to signals.
pub(in crate::sim) fn hangs(state: &State, command: &Command) -> bool {
    let suspended = |pool: &&super::zfs::Imported| pool.state(&state.disks) == "SUSPENDED";
    let mut pools = state.kernel.pools.iter().filter(suspended);
    let names = |name: &str| {
        let of = |arg: &String| arg.split(['/', '@']).next() == Some(name);
        command.args.iter().any(of)
    };
    command.changes && ["zfs", "zpool"].contains(&command.program) && pools.any(|pool| names(&pool.config.name))
}
