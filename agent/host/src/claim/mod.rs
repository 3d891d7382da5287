//! Who else configures a network card: every file by which netplan, systemd-networkd, udev, NetworkManager or ifupdown
//! name the card, give it an address, or take it away from Heeler's own files.

mod folder;
mod ini;
mod interfaces;
mod network_manager;
mod networkd;
mod pattern;
mod stanza;
mod udev_rule;
mod yaml;

use crate::facts::Nic;
use crate::guard::Written;
use crate::{RunError, System};

/// A line of a file that configures the card, and that Heeler did not write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Absolute.
    pub path: String,
    /// From 1 on.
    pub line: usize,
    /// The line without the white space around it; for a stanza its first line.
    pub text: String,
    /// Whether it decides over the card whatever Heeler's files say. Otherwise it only names the card, and loses.
    pub wins: bool,
}

/// What may configure the card `nic`, which Heeler configures by `written`; those that win come first.
///
/// # Errors
/// When a folder or a file is there and cannot be read.
pub async fn claims(host: &dyn System, nic: &Nic, written: Written) -> Result<Vec<Claim>, RunError> {
    let mut claims = stanza::claims(host, nic, written).await?;
    claims.extend(networkd::link_claims(host, nic).await?);
    claims.extend(networkd::network_claims(host, nic, written).await?);
    claims.extend(udev_rule::claims(host, nic).await?);
    claims.extend(network_manager::claims(host, nic).await?);
    claims.extend(interfaces::claims(host, nic, written).await?);
    claims.sort_by_key(|claim| !claim.wins);
    Ok(claims)
}

impl Claim {
    fn at(path: &str, text: &str, line: usize, wins: bool) -> Self {
        let words = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        Self {
            path: path.to_owned(),
            line,
            text: words.trim().chars().take(80).collect(),
            wins,
        }
    }
}
