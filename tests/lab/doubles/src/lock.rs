//! The cluster's locks: folders in `/etc/pve/priv/lock`, as pmxcfs keeps them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::call::{Call, Fault};
use crate::corosync::members;

/// A lock older than this is nobody's.
const STALE_SECONDS: u64 = 120;
const ATTEMPTS: u32 = 10;
/// So often a writer tries while pmxcfs does not see a new cluster yet.
const SETTLING_ATTEMPTS: u32 = 4;

/// Holds a lock as long as it lives.
#[must_use]
pub struct Lock(PathBuf);

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// Takes the lock of a file such as `file-user_cfg`. Fails without quorum, or after ten seconds.
pub fn take(call: &mut Call, file: &str) -> Result<Lock, Fault> {
    let trying = format!("trying to acquire cfs lock '{file}' ...\n");
    if call.is_read_only() {
        if !call.place("/etc/pve/priv").exists() {
            return Err(Fault::new(2, format!("cfs-lock '{file}' error: no quorum!")));
        }
        call.wait(10);
        call.err += &trying.repeat(9);
        return Err(Fault::new(13, format!("cfs-lock '{file}' error: no quorum!")));
    }
    wait_until_settled(call, &trying);
    let first = call.first_member();
    let folder = first.as_ref().unwrap_or(call).store("/etc/pve/priv/lock");
    let _ = fs::create_dir_all(&folder);
    let lock = folder.join(file);
    for attempt in 1..=ATTEMPTS {
        if is_stale(&lock) {
            let _ = fs::remove_dir(&lock);
        }
        match fs::create_dir(&lock) {
            Ok(()) => return Ok(Lock(lock)),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Fault::new(13, format!("cfs-lock '{file}' error: {}", e.kind()))),
        }
        if attempt < ATTEMPTS {
            call.err += &trying;
            pause();
        }
    }
    Err(Fault::new(
        17,
        format!("cfs-lock '{file}' error: got lock request timeout"),
    ))
}

/// pmxcfs is read-only for some seconds after a cluster was made or joined.
fn wait_until_settled(call: &mut Call, trying: &str) {
    let mut attempts = 0;
    while !members::is_settled(call) && attempts < SETTLING_ATTEMPTS {
        call.err += trying;
        call.wait(1);
        attempts += 1;
    }
    if attempts > 0 {
        members::settle(call);
    }
}

fn is_stale(lock: &Path) -> bool {
    let changed = fs::metadata(lock).and_then(|about| about.modified());
    let age = changed.ok().and_then(|changed| changed.elapsed().ok());
    age.is_some_and(|age| age.as_secs() > STALE_SECONDS)
}

/// One second: another writer is at work.
#[expect(clippy::disallowed_methods, reason = "another process holds the lock")]
fn pause() {
    std::thread::sleep(std::time::Duration::from_secs(1));
}
