use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use heeler_proto::{NodeName, hex};
use serde::Deserialize;

use super::root::Root;
use super::ssh::Ssh;
use super::{ContactError, Dialogue, Result};

/// Largest copy that is fetched, in bytes.
const LARGEST: u64 = 64 << 20;

/// A copy of a coordinator's state on a node, as its receipt describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Copy {
    /// File name: `coordinator-MILLISECONDS.age`.
    pub name: String,
    /// Time of the state, Unix milliseconds.
    pub at_ms: u64,
    /// Size of the file, in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// Absolute path on the node.
    #[serde(skip)]
    pub path: String,
}

/// A node with copies, reached over the user's own ssh because there is no coordinator.
pub struct Keeper<'a> {
    ssh: &'a Ssh,
    root: Root<'a>,
}

/// The ssh connection to the node; not opened yet.
pub fn keeper(node: &NodeName, destination: &str, config: Option<PathBuf>) -> Ssh {
    Ssh::new(node, destination, config)
}

impl<'a> Keeper<'a> {
    /// Logs in and becomes root. Its error: no connection, or a wrong password.
    pub async fn open(ssh: &'a Ssh, person: &mut dyn Dialogue) -> Result<Self> {
        let root = Root::open(ssh, person).await?;
        Ok(Self { ssh, root })
    }

    /// The complete copies on mounted pools, newest first. Copies from the future come last: a wrong clock made them.
    /// Fails when the connection is lost.
    pub async fn copies(&mut self, now_ms: u64) -> Result<Vec<Copy>> {
        let lines = self.root.order("COPIES").await?;
        let mut copies: Vec<Copy> = lines.iter().filter_map(|line| parse(line)).collect();
        copies.sort_by_key(|copy| order(copy, now_ms));
        Ok(copies)
    }

    /// Fetches a copy into `file` and checks it against its receipt. Fails when it does not match, or the connection is
    /// lost.
    pub async fn fetch(&mut self, copy: &Copy, file: &Path) -> Result<()> {
        let lines = self.root.order(&format!("FETCH {}", copy.path)).await?;
        let broken = |problem: &str| ContactError::Node {
            node: self.ssh.node.clone(),
            problem: format!("the copy {} {problem}", copy.path),
        };
        let bytes = STANDARD
            .decode(lines.concat())
            .map_err(|_| broken("arrived incomplete"))?;
        let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
        if bytes.len() as u64 != copy.bytes || hex(digest.as_ref()) != copy.sha256 {
            return Err(broken("does not match its receipt"));
        }
        crate::pki::write_bytes(file, &bytes).map_err(|error| ContactError::State {
            path: file.display().to_string(),
            source: std::io::Error::other(error),
        })
    }

    /// Ends the root shell and logs out.
    pub async fn close(self) {
        self.root.close().await;
    }
}

const fn order(copy: &Copy, now_ms: u64) -> (bool, std::cmp::Reverse<u64>) {
    (copy.at_ms > now_ms, std::cmp::Reverse(copy.at_ms))
}

/// Parses `copy PATH`, a tab, and the receipt; None when it is not one of our copies.
fn parse(line: &str) -> Option<Copy> {
    let (path, receipt) = line.strip_prefix("copy ")?.split_once('\t')?;
    let mut copy: Copy = serde_json::from_str(receipt).ok()?;
    let plain = copy.name.starts_with("coordinator-") && path.ends_with(&format!("/.heeler/copies/{}", copy.name));
    path.clone_into(&mut copy.path);
    (plain && path.starts_with('/') && copy.bytes <= LARGEST).then_some(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_from_the_future_is_the_last_choice() {
        let copy = |at_ms: u64| {
            let line = format!(
                "copy /data/.heeler/copies/coordinator-{at_ms}.age\t{{\"name\":\"coordinator-{at_ms}.age\",\"at_ms\":{at_ms},\"bytes\":1,\"sha256\":\"00\"}}"
            );
            parse(&line).unwrap()
        };
        let mut copies = [copy(50), copy(900), copy(100), copy(800)];
        copies.sort_by_key(|copy| order(copy, 100));
        assert_eq!(copies.map(|copy| copy.at_ms), [100, 50, 900, 800]);
    }

    #[test]
    fn only_well_formed_lines_name_copies() {
        let receipt = |name: &str| format!("{{\"name\":\"{name}\",\"at_ms\":5,\"bytes\":7,\"sha256\":\"ab\"}}");
        let line = |path: &str, name: &str| format!("copy {path}\t{}", receipt(name));
        let good = parse(&line("/data/x/.heeler/copies/coordinator-5.age", "coordinator-5.age")).unwrap();
        assert_eq!(
            (good.at_ms, good.path.as_str()),
            (5, "/data/x/.heeler/copies/coordinator-5.age")
        );
        let spaced = parse(&line("/my  data/.heeler/copies/coordinator-5.age", "coordinator-5.age")).unwrap();
        assert_eq!(spaced.path, "/my  data/.heeler/copies/coordinator-5.age");
        for (path, name) in [
            ("/etc/shadow", "coordinator-5.age"),
            ("/data/.heeler/copies/coordinator-6.age", "coordinator-5.age"),
            ("data/.heeler/copies/coordinator-5.age", "coordinator-5.age"),
            ("/data/.heeler/copies/other", "other"),
        ] {
            assert_eq!(parse(&line(path, name)), None, "{path}");
        }
        assert_eq!(parse("copy /x\t{"), None);
        assert_eq!(parse("noise"), None);
    }
}
