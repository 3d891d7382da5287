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
    command("/", ARCHIVE, MOST_BYTES)
}

fn command(root: &str, archive: &str, most_bytes: u64) -> Command {
    let without = pmxcfs::PATH.trim_start_matches('/');
    Command::change("prlimit")
        .arg(format!("--fsize={most_bytes}"))
        .args(["tar", "--create", "--gzip", &format!("--file={archive}")])
        .args(["--one-file-system", "--anchored", &format!("--exclude={without}")])
        .args([&format!("--directory={root}"), "etc"])
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::RealSystem;

    /// Runs the real tar on a folder with three files.
    async fn archived(most_bytes: u64) -> (tempfile::TempDir, Output) {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in [
            ("etc/hosts", vec![b'h'; 100]),
            ("etc/ssl/etc/pve/kept", vec![b'k'; 100]),
            ("etc/pve/user.cfg", vec![b'u'; 100]),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let root = folder.path().display().to_string();
        let command = command(&root, &format!("{root}/etc.tar.gz"), most_bytes);
        let output = RealSystem::with_root(folder.path()).run(&command).await.unwrap();
        (folder, output)
    }

    #[tokio::test]
    async fn proxmoxs_folder_is_left_out_of_the_archive() {
        let (folder, output) = archived(MOST_BYTES).await;
        assert_eq!((output.code, output.stderr.as_str()), (0, ""));
        let list = Command::look("tar").args(["--list", "--gzip"]);
        let list = list.arg(format!("--file={}/etc.tar.gz", folder.path().display()));
        let listed = RealSystem::with_root(folder.path()).run(&list).await.unwrap().stdout;
        let mut files: Vec<&str> = listed.lines().filter(|line| !line.ends_with('/')).collect();
        files.sort_unstable();
        assert_eq!(files, ["etc/hosts", "etc/ssl/etc/pve/kept"]);
    }

    #[tokio::test]
    async fn an_archive_that_grows_too_large_is_recognised() {
        let (folder, output) = archived(20).await;
        assert!(output.code > 1 && too_large(&output), "{output:?}");
        let bytes = folder.path().join("etc.tar.gz").metadata().unwrap().len();
        assert!(bytes <= 20, "{bytes}");
    }
}
