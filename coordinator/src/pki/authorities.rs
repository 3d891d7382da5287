use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::pki_types::CertificateDer;

use super::{Ca, PkiError, files, pem};

/// Where the key of an authority lies that is to follow, below the folder of the one in force.
const NEXT: &str = "next";

/// Who signs now, and whose signatures are taken. Handshakes look at it anew each time.
pub struct Authorities {
    folder: PathBuf,
    now: RwLock<Arc<InForce>>,
}

/// At one time.
pub struct InForce {
    /// It signs.
    pub ca: Ca,
    /// Since when, Unix milliseconds.
    pub since_ms: u64,
    /// DER, `ca`'s own among them.
    pub taken: Vec<CertificateDer<'static>>,
}

impl InForce {
    /// PEM, each that is taken.
    #[must_use]
    pub fn pem(&self) -> String {
        self.taken.iter().map(|der| pem("CERTIFICATE", der)).collect()
    }
}

impl Authorities {
    /// `folder` holds the key of the authority `current` (SHA-256 of its certificate), or its subfolder does.
    ///
    /// # Errors
    /// When neither holds it.
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

    /// Who signs and is taken now.
    #[must_use]
    pub fn now(&self) -> Arc<InForce> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on `current` signs.
    ///
    /// # Errors
    /// When its key is not there; nothing has changed then.
    pub fn change(
        &self,
        (current, since_ms): (&[u8; 32], u64),
        taken: Vec<CertificateDer<'static>>,
    ) -> Result<(), PkiError> {
        let ca = load(&self.folder, current)?;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(InForce { ca, since_ms, taken });
        Ok(())
    }

    /// The authority that is to follow: the one that an earlier call made, or a fresh one.
    ///
    /// # Errors
    /// When it can be neither read nor made.
    pub fn next(&self, cluster: &str, now_ms: u64) -> Result<Ca, PkiError> {
        let folder = self.folder.join(NEXT);
        match Ca::load(&folder) {
            Ok(made) => Ok(made),
            Err(_) => Ca::create(&folder, cluster, now_ms),
        }
    }

    /// The authority that follows is the only one left: its key takes the place of the old one's, which is gone for
    /// good. Interrupted anywhere, it is done again.
    ///
    /// # Errors
    /// When a file can be neither read nor written.
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

    /// After a crash: what lies there to follow is in force already, or nobody was ever told of it.
    ///
    /// # Errors
    /// When a file can be neither read, written nor removed.
    pub fn settle_or_forget(&self, current: &[u8; 32]) -> Result<(), PkiError> {
        match Ca::load(&self.folder.join(NEXT)) {
            Ok(next) if next.sha256() == *current => self.settle(),
            _ => self.forget_next(),
        }
    }

    /// What was made to follow is not wanted any more.
    ///
    /// # Errors
    /// When it cannot be removed.
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
