use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use heeler_proto::NodeName;

/// The fingerprint of an SSH host key, as `ssh-keygen -l` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// Key type: `ssh-ed25519`, `ecdsa-sha2-nistp256`.
    pub kind: String,
    /// `SHA256:` and 43 characters of base64.
    pub sha256: String,
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.sha256)
    }
}

impl Fingerprint {
    /// Parses `ssh-ed25519 SHA256:…`. None for anything else, so that the result is safe to show.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, sha256) = text.trim().split_once(' ')?;
        let plain = |text: &str, also: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c));
        let digest = sha256.strip_prefix("SHA256:")?;
        (text.len() < 200 && plain(kind, "-@._") && plain(digest, "+/")).then(|| Self {
            kind: kind.to_owned(),
            sha256: sha256.to_owned(),
        })
    }

    /// The server's key from a line that `ssh -v` prints after `debug1: ` (OpenSSH 6.8 and later). For a host
    /// certificate, the fingerprint is that of the key inside.
    pub fn in_debug(debug: &str) -> Option<Self> {
        if let Some(key) = debug.strip_prefix("Server host key: ") {
            return Self::parse(key);
        }
        let certificate = debug.strip_prefix("Server host certificate: ")?;
        let key = Self::parse(certificate.split_once(',')?.0)?;
        Some(Self {
            kind: key.kind.replace("-cert-v01@openssh.com", ""),
            ..key
        })
    }

    /// The fingerprint of the only key in one of our known_hosts files.
    pub fn in_file(file: &Path) -> Option<Self> {
        let line = std::fs::read_to_string(file).ok()?;
        Self::of(line.lines().next()?.split_once(' ')?.1)
    }

    /// The fingerprint of a public key line, `ssh-ed25519 AAAA…`.
    pub fn of(public: &str) -> Option<Self> {
        let (kind, blob) = public.trim().split_once(' ')?;
        let blob = STANDARD.decode(blob.split(' ').next()?).ok()?;
        let digest = ring::digest::digest(&ring::digest::SHA256, &blob);
        Some(Self {
            kind: kind.to_owned(),
            sha256: format!("SHA256:{}", STANDARD_NO_PAD.encode(digest)),
        })
    }
}

/// Path of the file that holds a node's pinned host key.
pub fn pin_file(state: &Path, node: &NodeName) -> PathBuf {
    state.join("contact").join(format!("{node}.known_hosts"))
}

/// A known_hosts line for the node's name with the key that was shown, if it is among `host_keys`; else None.
pub fn pin_line(node: &NodeName, shown: &Fingerprint, host_keys: &[String]) -> Option<String> {
    host_keys
        .iter()
        .find(|key| Fingerprint::of(key).as_ref() == Some(shown))
        .map(|key| format!("{node} {key}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made with ssh-keygen -t ed25519; the fingerprint is from ssh-keygen -l.
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBq8kfbRnBeXJYBwIPDDLT/o5X76ZS0V1o+cPSNG4PDv";

    #[test]
    fn a_host_certificate_shows_the_key_inside() {
        // Recorded from OpenSSH 9.2.
        let debug = "Server host certificate: ssh-ed25519-cert-v01@openssh.com \
             SHA256:nLv4uP0aJU31Dozid6olFh1miHDNEiN3RyS/gsUPynw, serial 0 ID \"host\" CA ssh-ed25519 \
             SHA256:GA6whto4Xl+ZmxE076Y0Iwfq3XzNUdtrYl92G0Qlyk0 valid forever";
        assert_eq!(
            Fingerprint::in_debug(debug).unwrap().to_string(),
            "ssh-ed25519 SHA256:nLv4uP0aJU31Dozid6olFh1miHDNEiN3RyS/gsUPynw"
        );
        let plain = Fingerprint::in_debug("Server host key: ssh-ed25519 SHA256:node").unwrap();
        assert_eq!(plain.to_string(), "ssh-ed25519 SHA256:node");
        assert_eq!(Fingerprint::in_debug("nothing"), None);
    }

    #[test]
    fn only_the_shown_key_is_pinned() {
        let node = NodeName::new("pi").unwrap();
        let shown = Fingerprint::parse("ssh-ed25519 SHA256:MpuqxdIWdKeX/IjvaKVWiGY31d+Xk7BrDqs5sE7F5iY").unwrap();
        let line = format!("pi {KEY}\n");
        assert_eq!(pin_line(&node, &shown, &[KEY.to_owned()]), Some(line));
        let other = Fingerprint::parse("ssh-ed25519 SHA256:another").unwrap();
        assert_eq!(pin_line(&node, &other, &[KEY.to_owned()]), None);
    }
}
