//! Calls of the machine's `zfs` and `zpool`, with the errors that Proxmox makes of theirs.

use crate::call::{Call, Fault};
use crate::storage_cfg::Storage;

/// Runs a program. On failure its last line of stderr is the error, `$error: LINE` with a line end; lines before it go to
/// our stderr.
#[expect(
    clippy::disallowed_methods,
    reason = "a double calls the machine's own programs as the real program does"
)]
fn request(call: &mut Call, program: &str, arguments: &[&str]) -> Result<String, Fault> {
    let run = std::process::Command::new(program).args(arguments).output();
    let run = run.map_err(|e| Fault::new(2, format!("zfs error: command '{program}' failed: {e}\n")))?;
    let text = String::from_utf8_lossy(&run.stderr);
    let mut lines: Vec<&str> = text.lines().collect();
    if run.status.success() {
        return Ok(String::from_utf8_lossy(&run.stdout).into_owned());
    }
    let last = lines.pop().unwrap_or_default();
    lines.iter().for_each(|line| call.err += &format!("{line}\n"));
    Err(Fault::new(1, format!("zfs error: {last}\n")))
}

/// Before a storage is added its mount point is looked up; a failure is no error.
pub fn look_at_mountpoint(call: &mut Call, storage: &Storage) {
    let _ = request(
        call,
        "zfs",
        &["get", "-o", "value", "-Hp", "mountpoint", storage.get("pool")],
    );
}

/// Imports the pool if it is not imported, and mounts. A missing dataset in a pool that is there is no error.
pub fn activate(call: &mut Call, storage: &Storage) -> Result<(), Fault> {
    let pool = storage.get("pool").split('/').next().unwrap_or_default();
    let failed = |fault: &Fault| {
        Fault::new(
            fault.code,
            format!("could not activate storage '{}', {}", storage.id, fault.text),
        )
    };
    if !is_imported(call, pool) {
        let from = ["import", "-d", "/dev/disk/by-id/", "-o", "cachefile=none", pool];
        let imported = request(call, "zpool", &from);
        // Another import may have been faster.
        if let Err(fault) = imported
            && !is_imported(call, pool)
        {
            return Err(failed(&fault));
        }
    }
    request(call, "zfs", &["mount", "-a"])
        .map(|_| ())
        .map_err(|fault| failed(&fault))
}

fn is_imported(call: &mut Call, pool: &str) -> bool {
    match request(call, "zpool", &["list", "-o", "name", "-H", pool]) {
        Ok(text) => text.contains(pool),
        Err(fault) => {
            call.fail(&fault);
            false
        }
    }
}

/// (available, used) in bytes.
pub fn space(call: &mut Call, storage: &Storage) -> Option<(u64, u64)> {
    match request(
        call,
        "zfs",
        &["get", "-o", "value", "-Hp", "available,used", storage.get("pool")],
    ) {
        Ok(text) => {
            let mut numbers = text.lines().map(|line| line.trim().parse().unwrap_or(0));
            Some((numbers.next()?, numbers.next()?))
        }
        Err(fault) => {
            call.err += &fault.text;
            None
        }
    }
}

/// Volumes of a storage: (name, bytes).
pub fn volumes(call: &mut Call, storage: &Storage) -> Vec<(String, u64)> {
    let dataset = storage.get("pool");
    let list = ["list", "-o", "name,volsize", "-t", "volume", "-d1", "-Hp", dataset];
    let text = request(call, "zfs", &list).unwrap_or_default();
    let volume = |line: &str| {
        let (name, size) = line.split_once('\t')?;
        let name = name.strip_prefix(dataset)?.strip_prefix('/')?;
        Some((name.to_owned(), size.trim().parse().ok()?))
    };
    text.lines().filter_map(volume).collect()
}

/// Makes a volume of so many KiB.
pub fn create(call: &mut Call, storage: &Storage, name: &str, kibibytes: u64) -> Result<(), Fault> {
    let (size, volume) = (format!("{kibibytes}k"), format!("{}/{name}", storage.get("pool")));
    let mut arguments = vec!["create"];
    if storage.is_set("sparse") {
        arguments.push("-s");
    }
    if !storage.get("blocksize").is_empty() {
        arguments.extend(["-b", storage.get("blocksize")]);
    }
    arguments.extend(["-V", &size, &volume]);
    request(call, "zfs", &arguments).map(|_| ())
}

pub fn destroy(call: &mut Call, storage: &Storage, name: &str) -> Result<(), Fault> {
    let volume = format!("{}/{name}", storage.get("pool"));
    request(call, "zfs", &["destroy", "-r", &volume]).map(|_| ())
}

pub fn scan(call: &mut Call) -> Result<(), Fault> {
    let list = ["list", "-t", "filesystem", "-Hp", "-o", "name,avail,used"];
    match request(call, "zfs", &list) {
        Ok(text) => {
            text.lines()
                .for_each(|line| call.out += &format!("{}\n", line.split('\t').next().unwrap_or_default()));
            Ok(())
        }
        Err(fault) => {
            call.err += fault.text.trim_start_matches("zfs error: ");
            Err(Fault::new(
                1,
                format!("command 'zfs {}' failed: exit code 1", list.join(" ")),
            ))
        }
    }
}
