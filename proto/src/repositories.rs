use serde::{Deserialize, Serialize};

use crate::name::text;
use crate::{Invalid, Spec};

/// Where a package repository is, such as `http://download.proxmox.com/debian/pve`: at most 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryUri(String);

impl RepositoryUri {
    /// Fails for anything but `http` or `https`, a host name or IPv4 address, perhaps a port, and a path of letters,
    /// digits and `.-_+~` without a final slash: no user, no query, and nothing that apt would read as more than one word.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let bad = || Invalid::new("uri", format!("{text:?} is not the address of a package repository"));
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .ok_or_else(bad)?;
        let (machine, path) = rest.split_once('/').unwrap_or((rest, "x"));
        let (host, port) = machine.split_once(':').unwrap_or((machine, "80"));
        let label = |label: &str| {
            let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            inner && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
        };
        let part = |part: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_+~".contains(&byte);
            !matches!(part, "" | "." | "..") && part.bytes().all(plain)
        };
        let port = port
            .parse::<u16>()
            .is_ok_and(|number| number > 0 && number.to_string() == port);
        match text.len() <= 200 && port && host.split('.').all(label) && path.split('/').all(part) {
            true => Ok(Self(text.to_owned())),
            false => Err(bad()),
        }
    }

    /// The host's name or address, without the port.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        rest.split(['/', ':']).next().unwrap_or_default()
    }
}
text!(RepositoryUri);

/// A suite or a component of a repository, such as `trixie` or `pve-no-subscription`: 1 to 40 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryWord(String);

impl RepositoryWord {
    /// Fails for anything but lower-case letters, digits, dots and hyphens, the first of them a letter.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        let letter = text.starts_with(|first: char| first.is_ascii_lowercase());
        match text.len() <= 40 && letter && text.bytes().all(plain) {
            true => Ok(Self(text.to_owned())),
            false => Err(Invalid::new("suite or component", format!("{text:?} is neither"))),
        }
    }
}
text!(RepositoryWord);

/// The fingerprint of an OpenPGP key of version 4: 40 upper-case hexadecimal digits (RFC 4880, 12.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Fails for anything else.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
        match text.len() == 40 && text.bytes().all(digit) {
            true => Ok(Self(text.to_owned())),
            false => Err(Invalid::new("key", format!("{text:?} is not the fingerprint of a key"))),
        }
    }
}
text!(Fingerprint);

/// An OpenPGP public key in ASCII armour without headers (RFC 4880, 6.2): at most 16 KiB. Whether it is the wanted one
/// is for its sender to check; here it is only harmless text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(String);

impl PublicKey {
    /// The first line, and the empty one after it.
    pub const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n";
    /// The last line.
    pub const END: &str = "-----END PGP PUBLIC KEY BLOCK-----\n";

    /// Fails when the lines between the first and the last are not base64 of at most 76 characters each.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let body = text
            .strip_prefix(Self::BEGIN)
            .and_then(|rest| rest.strip_suffix(Self::END));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        let line = |line: &str| (1..=76).contains(&line.len()) && line.bytes().all(plain);
        let whole = body.is_some_and(|body| body.ends_with('\n') && body.lines().all(line));
        match text.len() <= 16 << 10 && whole {
            true => Ok(Self(text.to_owned())),
            false => Err(Invalid::new("public key", "it is not one key in ASCII armour")),
        }
    }
}
text!(PublicKey);

/// Task: the node can get Proxmox's packages from one repository, and from it only what it is meant to give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsureRepositories {
    /// Where it is.
    pub uri: RepositoryUri,
    /// Its suite, which is the node's release of Debian.
    pub suite: RepositoryWord,
    /// Its components, 1 to 8.
    pub components: Vec<RepositoryWord>,
    /// The fingerprint of the only key whose signature counts.
    pub key: Fingerprint,
    /// That key.
    pub public_key: PublicKey,
}

impl Spec for EnsureRepositories {
    fn check(&self) -> Result<(), Invalid> {
        match self.components.len() {
            1..=8 => Ok(()),
            count => Err(Invalid::new("components", format!("{count} are not 1 to 8"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_only_ever_one_plain_address() {
        for (good, host) in [
            ("http://download.proxmox.com/debian/pve", "download.proxmox.com"),
            ("https://10.0.0.1:8443/pxcloud/pxvirt", "10.0.0.1"),
            ("http://mirror", "mirror"),
            ("http://m/a_b+c~d", "m"),
        ] {
            assert_eq!(RepositoryUri::new(good).unwrap().host(), host);
        }
        let long = format!("http://m/{}", "a".repeat(192));
        for bad in [
            "",
            "http://",
            "http:///x",
            "ftp://m/x",
            "file:///x",
            "cdrom:x",
            "http://m/x/",
            "http://m//x",
            "http://m/../x",
            "http://m/x y",
            "http://m/x\nTrusted: yes",
            "http://m/x?a",
            "http://me:secret@m/x",
            "http://m:0/x",
            "http://m:080/x",
            "http://m:99999/x",
            "http://-m/x",
            "http://m./x",
            "http://m/[x]",
            &long,
        ] {
            assert!(RepositoryUri::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_suite_is_only_ever_one_plain_word() {
        for good in ["trixie", "pve-no-subscription", "a1.2"] {
            assert_eq!(RepositoryWord::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "Trixie", "a b", "a/b", "-a", "1a", "a\nb", "[x]", &"a".repeat(41)] {
            assert!(RepositoryWord::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_public_key_is_only_ever_armoured_base64() {
        let key = |body: &str| format!("{}{body}{}", PublicKey::BEGIN, PublicKey::END);
        assert!(PublicKey::new(&key("xsFN+/==\n=2Tpm\n")).is_ok());
        let (long, large) = ("a".repeat(77) + "\n", format!("{}\n", "a".repeat(76)).repeat(300));
        for body in ["", "\n", "xsFN", "xs FN\n", "x\n\ny\n", "Trusted: yes\n", &long, &large] {
            assert!(PublicKey::new(&key(body)).is_err(), "{body}");
        }
        assert!(PublicKey::new("xsFN\n").is_err());
    }

    #[test]
    fn a_fingerprint_has_forty_capital_digits() {
        assert!(Fingerprint::new("24B30F06ECC1836A4E5EFECBA7BCD1420BFE778E").is_ok());
        for bad in [
            "",
            "24B30F06",
            "24b30f06ecc1836a4e5efecba7bcd1420bfe778e",
            "24B30F06ECC1836A4E5EFECBA7BCD1420BFE778G",
        ] {
            assert!(Fingerprint::new(bad).is_err(), "{bad}");
        }
    }
}
