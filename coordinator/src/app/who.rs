use nix::unistd::{Uid, User};

/// The name for what the coordinator does by itself.
pub(super) const COORDINATOR: &str = "coordinator";

/// The caller, as the connection proves it. Never taken from a message.
pub struct Who {
    /// Login name behind the Unix socket, or operator name of the certificate.
    pub name: String,
    /// SHA-256 of the certificate's SubjectPublicKeyInfo. None on the socket, which only its owner can open.
    pub key_sha256: Option<[u8; 32]>,
}

impl Who {
    /// The caller at the other end of the Unix socket; the kernel gives the uid (SO_PEERCRED, unix(7)).
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
    fn a_nameless_login_is_shown_by_its_uid() {
        assert_eq!(Who::local(0).name, "root");
        assert_eq!(Who::local(4_123_456_789).name, "uid 4123456789");
    }
}
