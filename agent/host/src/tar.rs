//! GNU tar. It ends with 1 when a file changed while it was read, and the archive is whole all the same; with 2 after
//! any other failure.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::{Command, Output, RunError, System, pmxcfs};

/// Where the archive is made: in memory, in a folder that only root can enter and that systemd makes for the agent.
pub const ARCHIVE: &str = "/run/heeler-agent/etc.tar.gz";
/// The most bytes of the archive; a larger one is not written to its end.
pub const MOST_BYTES: u64 = 32 << 20;

/// `tar` of /etc into [`ARCHIVE`], without /etc/pve: it is pmxcfs's, and does not answer when pmxcfs is dead.
/// `prlimit` bounds what a file may grow to.
pub fn etc_command() -> Command {
    let most = format!("--fsize={MOST_BYTES}");
    let without = format!("--exclude={}", pmxcfs::PATH.trim_start_matches('/'));
    let file = format!("--file={ARCHIVE}");
    Command::change("prlimit")
        .args([most.as_str(), "tar", "--create", "--gzip", &file])
        .args(["--one-file-system", "--anchored", &without, "--directory=/", "etc"])
        .timeout(Duration::from_secs(300))
}

/// Makes [`ARCHIVE`]. Fails when tar fails, or the archive would be larger than [`MOST_BYTES`].
pub async fn etc(host: &dyn System) -> Result<(), RunError> {
    let command = etc_command();
    let output = host.run(&command).await?;
    match output.code {
        0 | 1 => Ok(()),
        _ if too_large(&output) => {
            let text = format!(
                "/etc compressed has more than {} MiB: du -x -d 2 /etc | sort -n",
                MOST_BYTES >> 20
            );
            Err(RunError::file(Path::new(ARCHIVE), io::Error::other(text)))
        }
        _ => Err(RunError::failed(&command, &output)),
    }
}

/// gzip ends by the signal for a file that grows too large; dash gives it as 153, tar itself as the signal's number 25.
fn too_large(output: &Output) -> bool {
    ["Child returned status 153", "Child died with signal 25"]
        .iter()
        .any(|said| output.stderr.contains(said))
}
