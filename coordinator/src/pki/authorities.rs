use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::pki_types::CertificateDer;

use super::{Ca, PkiError, files, pem};

/// Subfolder for the key of the next authority.
const NEXT: &str = "next";

/// The authority that signs, and the ones whose signatures are accepted. Every handshake reads the current state.
pub struct Authorities {
    folder: PathBuf,
    now: RwLock<Arc<InForce>>,
}

/// The authorities at one moment.
pub struct InForce {
    /// The one that signs.
    pub ca: Ca,
    /// Since when it signs, Unix milliseconds.
    pub since_ms: u64,
    /// Certificates (DER) of those that are accepted, `ca` included.
    pub taken: Vec<CertificateDer<'static>>,
}

impl InForce {
    /// The certificates of those that are accepted, PEM.
    pub fn pem(&self) -> String {
        self.taken.iter().map(|der| pem("CERTIFICATE", der)).collect()
    }
}

impl Authorities {
    /// Opens the authority `current` (SHA-256 of its certificate), whose key is in `folder` or its subfolder. Fails
    /// when the key is in neither.
    pub fn open(
        folder: &Path,
        (current, since_ms): (&[u8; 32], u64),
        taken: Vec<CertificateDer<'static>>,
    ) -> Result<Self, PkiError> {
        let ca = load(folder, current)?;
        Ok(Self {
            folder: folder.to_owned(),
            now: RwLock::new(Arc::new(InForce { ca, since_ms, taken })),
        })
    }

    /// A snapshot of the current state; a rotation does not change it.
    pub fn now(&self) -> Arc<InForce> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes `current` sign. Fails when its key is missing; nothing has changed then.
    pub fn change(
        &self,
        (current, since_ms): (&[u8; 32], u64),
        taken: Vec<CertificateDer<'static>>,
    ) -> Result<(), PkiError> {
        let ca = load(&self.folder, current)?;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(InForce { ca, since_ms, taken });
        Ok(())
    }

    /// The next authority: the one that an earlier call made, or a new one. Fails when it can be neither read nor made.
    pub fn next(&self, cluster: &str, now_ms: u64) -> Result<Ca, PkiError> {
        let folder = self.folder.join(NEXT);
        match Ca::load(&folder) {
            Ok(made) => Ok(made),
            Err(_) => Ca::create(&folder, cluster, now_ms),
        }
    }

    /// Moves the next authority's key into the place of the old one's, which is deleted for good. Safe to repeat after
    /// an interruption. Fails when a file can be neither read nor written.
    pub fn settle(&self) -> Result<(), PkiError> {
        let next = self.folder.join(NEXT);
        if !next.exists() {
            return Ok(());
        }
        for file in ["key.pem", "certificate.pem"] {
            files::write_secret(&self.folder.join(file), &files::read_text(&next.join(file))?)?;
        }
        self.forget_next()
    }

    /// Completes an interrupted rotation: settles the next authority if it is already in force, else deletes it,
    /// because no node knows of it. Fails when a file can be neither read, written nor removed.
    pub fn settle_or_forget(&self, current: &[u8; 32]) -> Result<(), PkiError> {
        match Ca::load(&self.folder.join(NEXT)) {
            Ok(next) if next.sha256() == *current => self.settle(),
            _ => self.forget_next(),
        }
    }

    /// Deletes the next authority. Fails when it cannot be removed.
    pub fn forget_next(&self) -> Result<(), PkiError> {
        let path = self.folder.join(NEXT);
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(PkiError::File {
                what: "remove",
                path,
                source: error,
            }),
            _ => Ok(()),
        }
    }
}

fn load(folder: &Path, wanted: &[u8; 32]) -> Result<Ca, PkiError> {
    let of = |folder: &Path| Ca::load(folder).ok().filter(|ca| ca.sha256() == *wanted);
    of(folder)
        .or_else(|| of(&folder.join(NEXT)))
        .ok_or(PkiError::NoAuthority {
            folder: folder.to_owned(),
        })
}
