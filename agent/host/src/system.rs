use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Command, Deed, File, Folder, Job, JobState, Output, RunError, UnitAction, UnitError, UnitState};

/// A look that is under way.
pub type Look<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The one seam to a machine. Everything that Heeler knows of a node, and everything that it does to it, goes through
/// here; the simulated twin loses power between any two of these calls.
#[async_trait]
pub trait System: Send + Sync {
    /// Runs a program to its end. An exit code other than 0 is an answer, not an error.
    async fn run(&self, command: &Command) -> Result<Output, RunError>;

    /// Runs a program that goes on printing, and calls `line` with each line that it prints, cut to 1 KiB. Returns its
    /// exit code when it ends by itself, however long that takes; it is killed when the caller goes away. A machine
    /// without such a program never says anything.
    async fn follow(&self, _command: &Command, _line: &(dyn for<'l> Fn(&'l str) + Sync)) -> Result<i32, RunError> {
        std::future::pending().await
    }

    /// The whole of a file.
    async fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Permission bits of a file.
    async fn mode(&self, path: &Path) -> io::Result<u32>;

    /// What a symbolic link resolves to, through all links: absolute.
    async fn resolve(&self, path: &Path) -> io::Result<PathBuf>;

    /// Names in a folder, sorted.
    async fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Writes a file beside its place, syncs it, renames it, syncs the folder (made when it is missing).
    async fn write(&self, file: &File) -> io::Result<()>;

    /// Appends to a file (made with mode 0600 when it is missing) and syncs its data.
    async fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Cuts a file to `length` bytes and syncs it.
    async fn truncate(&self, path: &Path, length: u64) -> io::Result<()>;

    /// Sets a parameter of the running kernel below `/sys` or `/proc/sys`, where nothing can be renamed.
    async fn set_parameter(&self, path: &Path, value: &str) -> io::Result<()>;

    /// Removes a file; that it is not there is no error.
    async fn remove(&self, path: &Path) -> io::Result<()>;

    /// Does something in a folder (made with mode 0700 when it is missing), with the file `name`, which is empty for
    /// [`Deed::List`]. Below the mountpoint no link is followed and no other mount entered: it is an error that one is
    /// there, and nothing is done.
    async fn within(&self, folder: &Folder, name: &str, deed: Deed) -> io::Result<Vec<String>> {
        let _ = (folder, name, deed);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// `length` bytes of a block device from `offset` on; fewer at its end. Opened for reading only.
    async fn read_device(&self, device: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>>;

    /// Where the first byte that is not zero is in these places of a block device: pairs of first byte and end, multiples of
    /// 512 within the device, read in their order. Reads what is on the device, not what is cached.
    async fn first_data(&self, device: &Path, places: &[(u64, u64)]) -> io::Result<Option<u64>>;

    /// What a unit is doing.
    async fn unit_state(&self, unit: &str) -> Result<UnitState, UnitError>;

    /// Does it, and waits for the result of systemd's job.
    async fn unit(&self, unit: &str, action: UnitAction) -> Result<(), UnitError>;

    /// Starts a transient unit, unless one of that name runs.
    async fn start_job(&self, job: &Job) -> Result<(), UnitError>;

    /// How a transient unit stands.
    async fn job_state(&self, unit: &str) -> Result<JobState, UnitError>;

    /// Who answers for `address` on the network that the card `interface`, which must be switched on, is plugged into:
    /// its hardware address. Takes two seconds; nothing is claimed.
    async fn address_taken(&self, interface: &str, address: Ipv4Addr) -> io::Result<Option<String>>;

    /// Asks logind for a reboot; returns before it happens.
    async fn reboot(&self) -> Result<(), UnitError>;

    /// Unix milliseconds by the machine's clock, which may be wrong: a Pi has no battery.
    fn now_ms(&self) -> u64;

    /// Waits for the end of a look at `item` for at most `time`, and drops it then. A machine where nothing hangs waits for
    /// the end.
    async fn in_time(&self, _item: &str, _time: Duration, look: Look<'_>) {
        look.await;
    }

    /// Waits for `time`; a simulated machine only moves its clock.
    async fn sleep(&self, time: Duration);
}
