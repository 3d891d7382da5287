use nix::unistd::{Uid, User};

/// Who asks, as the connection proves it: never what a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The login name behind the Unix socket, or the operator's name in a certificate.
    pub name: String,
    /// The key of the certificate (SHA-256 of its SubjectPublicKeyInfo); None on the socket, which its owner alone can
    /// open.
    pub key_sha256: Option<[u8; 32]>,
}

impl Who {
    /// At the other end of the Unix socket, as the kernel says.
    #[must_use]
    pub fn local(uid: u32) -> Self {
        let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
        Self {
            name: user.map_or_else(|| format!("uid {uid}"), |user| user.name),
            key_sha256: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_without_a_name_is_told_by_its_number() {
        assert_eq!(Who::local(0).name, "root");
        assert_eq!(Who::local(4_123_456_789).name, "uid 4123456789");
    }
}
