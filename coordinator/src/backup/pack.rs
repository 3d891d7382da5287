use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use heeler_proto::hex;
use heeler_store::{Store, StoreError};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;

use super::archive::{Entry, Hashing, LONGEST_PATH, MANIFEST, Manifest, SIGNATURE, append};
use super::encrypt::{Lock, Opener};
use super::error::{BackupError, Result, failed, stored};
use super::opened::Opened;
use super::place::sync;
use super::recovery::{RECIPIENT, signer};
use crate::state::StateFolder;

/// Newest events that a thin backup keeps.
const RECENT_EVENTS: u32 = 2_000;
/// Largest file besides the database, in bytes: keys and pins are small.
const SMALL: u64 = 1 << 20;
/// How deep folders in the state folder are searched.
const DEPTH: u32 = 4;
/// Folders of the state folder that belong to heeler; none of their files may be missing from a backup.
const OURS: [&str; 7] = ["backup", "ca", "config", "contact", "operators", "secrets", "server"];
/// Files without which a restore is impossible.
const NEEDED: [&str; 4] = ["heeler.db", "ca/key.pem", "ca/certificate.pem", "backup/key.pem"];

/// How much goes into a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Everything.
    Whole,
    /// Without old events and plans; holds the largest size in bytes.
    Thin(u64),
}

/// A finished backup.
#[derive(Debug, Clone, PartialEq)]
pub struct Packed {
    /// Its signed list of contents.
    pub manifest: Manifest,
    /// Size of the encrypted file, in bytes.
    pub bytes: u64,
    /// SHA-256 of the encrypted file.
    pub sha256: [u8; 32],
}

/// Encrypts the state into `out`, also while a coordinator uses it. `lock` None: for the recovery key on record. Fails
/// when something cannot be read or written, or the database is damaged: a backup would only hide that.
pub async fn pack(
    state: &StateFolder,
    lock: Option<Lock>,
    content: Content,
    out: &Path,
    now_ms: u64,
) -> Result<Packed> {
    if !state.holds()? {
        return Err(BackupError::NoCoordinator(state.path().to_owned()));
    }
    let copy = Scratch::within(state).map_err(failed("make", state.path()))?;
    let store = Store::open(&state.database()).await?;
    let lock = match lock {
        Some(lock) => lock,
        None => {
            let known = store.read().await?.meta(RECIPIENT).await?;
            known
                .as_deref()
                .and_then(Lock::recipient)
                .ok_or(BackupError::NoRecoveryKey)?
        }
    };
    let full = || stored("copy the database to", &copy.0);
    store.copy_into(&copy.0).await.map_err(full())?;
    store.close().await;
    let thin = matches!(content, Content::Thin(_));
    if thin {
        Store::thin_out(&copy.0, RECENT_EVENTS).await.map_err(full())?;
    }
    let mut manifest = describe(&copy.0, now_ms).await.map_err(full())?;
    (manifest.thin, manifest.signer) = (thin, signer(state)?);
    let key = fs::read(state.backup().join("key.pem")).map_err(failed("read", state.backup()))?;
    let (state, out) = (state.clone(), out.to_owned());
    let encrypted = tokio::task::spawn_blocking(move || encrypt(&state, &copy, manifest, (&lock, &key), content, &out));
    encrypted
        .await
        .map_err(|error| failed("write", "the backup")(io::Error::other(error)))?
}

async fn describe(database: &Path, now_ms: u64) -> Result<Manifest, StoreError> {
    Store::check(database).await?;
    let store = Store::open(database).await?;
    let mut tx = store.read().await?;
    let (audit_seq, audit_hash) = tx.audit_head().await?;
    let epoch = tx.meta("epoch").await?.and_then(|epoch| epoch.parse().ok());
    let manifest = Manifest {
        cluster: tx.meta("cluster").await?.unwrap_or_default(),
        created_at_ms: now_ms,
        epoch: epoch.unwrap_or_default(),
        audit_seq,
        audit_hash: hex(&audit_hash),
        heeler: env!("CARGO_PKG_VERSION").to_owned(),
        thin: false,
        signer: String::new(),
        files: Vec::new(),
    };
    drop(tx);
    store.close().await;
    Ok(manifest)
}

fn encrypt(
    state: &StateFolder,
    copy: &Scratch,
    mut manifest: Manifest,
    (lock, key): (&Lock, &[u8]),
    content: Content,
    out: &Path,
) -> Result<Packed> {
    let mut files = vec![("heeler.db".to_owned(), copy.0.clone())];
    gather(state.path(), Path::new(""), DEPTH, &mut files)?;
    for needed in NEEDED {
        if !files.iter().any(|(name, _)| name == needed) {
            return Err(BackupError::NotSaved(state.path().join(needed)));
        }
    }
    for (name, path) in &files {
        let mut hashing = Hashing::new(io::sink());
        let mut file = File::open(path).map_err(failed("read", path))?;
        io::copy(&mut file, &mut hashing).map_err(failed("read", path))?;
        manifest.files.push(Entry {
            path: name.clone(),
            bytes: hashing.bytes(),
            sha256: hashing.hex(),
        });
    }
    let bytes = manifest.files.iter().map(|file| file.bytes).sum();
    if let Content::Thin(most) = content
        && bytes > most
    {
        return Err(BackupError::TooLarge { bytes, most });
    }
    let text = serde_json::to_vec(&manifest).map_err(|error| failed("write", out)(error.into()))?;
    let signature = sign(key, &text)?;
    let folder = heeler_os::folder_of(out);
    let mut name = out.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    let new = tempfile::Builder::new()
        .prefix(&name)
        .suffix(".new")
        .tempfile_in(folder);
    let new = new.map_err(failed("make", out))?;
    let prover = lock.prover();
    let encryptor = (lock, &prover);
    let (bytes, sha256) = write(new.as_file(), out, encryptor, (&text, &signature), &manifest, &files)?;
    prove(new.path(), &prover)?;
    new.persist(out).map_err(|error| failed("write", out)(error.error))?;
    sync(folder)?;
    Ok(Packed {
        manifest,
        bytes,
        sha256,
    })
}

fn write(
    new: &File,
    out: &Path,
    (lock, prover): (&Lock, &Opener),
    (text, signature): (&[u8], &[u8]),
    manifest: &Manifest,
    files: &[(String, PathBuf)],
) -> Result<(u64, [u8; 32])> {
    let mut hashing = Hashing::new(BufWriter::new(new));
    let encrypted = |hashing: &mut Hashing<BufWriter<&File>>| {
        let mut tar = tar::Builder::new(lock.encrypt_also(hashing, Some(prover))?);
        let at_ms = manifest.created_at_ms;
        for (name, bytes) in [(MANIFEST, text), (SIGNATURE, signature)] {
            append(&mut tar, name, bytes.len() as u64, bytes, at_ms)?;
        }
        for ((_, path), entry) in files.iter().zip(&manifest.files) {
            append(&mut tar, &entry.path, entry.bytes, File::open(path)?, at_ms)?;
        }
        tar.into_inner()?.finish()?.flush()
    };
    encrypted(&mut hashing)
        .and_then(|()| new.sync_all())
        .map_err(failed("write", out))?;
    Ok((hashing.bytes(), hashing.digest()))
}

/// Opens the new file as a restore does. A backup that was never opened is not reported as one.
fn prove(file: &Path, prover: &Opener) -> Result<()> {
    let proven = Opened::open(file, prover, None).and_then(Opened::prove);
    proven.map(drop).map_err(|error| match error {
        BackupError::Damaged(why) => BackupError::NotWhole(why),
        other => BackupError::NotWhole(other.to_string()),
    })
}

/// Lists every file of the state folder except the database, which is copied separately, and the files of the running
/// process.
fn gather(folder: &Path, below: &Path, depth: u32, files: &mut Vec<(String, PathBuf)>) -> Result<()> {
    let here = folder.join(below);
    let mut names: Vec<_> = fs::read_dir(&here)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.file_name()))
                .collect::<Result<_, _>>()
        })
        .map_err(failed("list", &here))?;
    names.sort();
    for name in names {
        let path = below.join(&name);
        let text = path.to_string_lossy().into_owned();
        let is_ours = path
            .components()
            .next()
            .is_some_and(|top| OURS.iter().any(|ours| top.as_os_str() == *ours));
        let real = folder.join(&path);
        // A person may keep keys elsewhere and link to them. Links outside heeler's own folders are left out.
        let about = if is_ours {
            fs::metadata(&real)
        } else {
            fs::symlink_metadata(&real)
        };
        let about = about.map_err(failed("look at", &real))?;
        let passing =
            text.starts_with("heeler.db") || ["lock", "heeler.sock", MANIFEST, SIGNATURE].contains(&text.as_str());
        if about.is_dir() && depth > 0 {
            gather(folder, &path, depth - 1, files)?;
        } else if about.is_file() && !passing && !text.ends_with(".new") {
            if about.len() <= SMALL && text.len() <= LONGEST_PATH {
                files.push((text, real));
            } else if is_ours {
                return Err(BackupError::NotSaved(real));
            }
        }
    }
    Ok(())
}

fn sign(pem: &[u8], text: &[u8]) -> Result<Vec<u8>> {
    let random = SystemRandom::new();
    let unusable = || failed("use", "backup/key.pem")(io::Error::other("no key of P-256"));
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| unusable())?;
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der.secret_pkcs8_der(), &random);
    let signature = key
        .map_err(|_| unusable())?
        .sign(&random, text)
        .map_err(|_| unusable())?;
    Ok(signature.as_ref().to_vec())
}

/// Start of the file name of a database copy.
const COPYING: &str = "heeler.db.copying-";

/// Removes database copies that killed backups left. A running backup locks its copy, so that one stays. Fails when the
/// state folder cannot be read.
pub fn sweep(state: &StateFolder) -> io::Result<()> {
    for entry in fs::read_dir(state.path())? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_whole = |name: &str| name.len() == COPYING.len() + 16;
        if name.starts_with(COPYING) && is_whole(name) && File::open(&path)?.try_lock().is_ok() {
            remove(&path);
        }
    }
    Ok(())
}

fn remove(copy: &Path) {
    for end in ["", "-wal", "-shm", "-journal"] {
        let mut path = copy.as_os_str().to_owned();
        path.push(end);
        let _ = fs::remove_file(path);
    }
}

/// A copy of the database, removed on drop. Mode 0600 from the start: `SQLite` fills the existing empty file, and
/// gives its side files the same mode.
struct Scratch(PathBuf, #[expect(dead_code, reason = "holds the lock")] File);

impl Scratch {
    fn within(state: &StateFolder) -> io::Result<Self> {
        let path = state.path().join(format!("{COPYING}{:016x}", rand::random::<u64>()));
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&path)?;
        file.lock()?;
        Ok(Self(path, file))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn a_database_copy_is_private_from_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::new(folder.path());
        let store = Store::open(&state.database()).await.unwrap();
        let copy = Scratch::within(&state).unwrap();
        let mode = || fs::metadata(&copy.0).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        store.copy_into(&copy.0).await.unwrap();
        assert_eq!(mode(), 0o600);
        Store::thin_out(&copy.0, 1).await.unwrap();
        assert_eq!(mode(), 0o600);
        store.close().await;
    }

    #[test]
    fn leftovers_of_a_killed_backup_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::new(folder.path());
        let left = folder.path().join("heeler.db.copying-0123456789abcdef");
        fs::write(&left, "x").unwrap();
        fs::write(folder.path().join("heeler.db.copying-0123456789abcdef-journal"), "x").unwrap();
        fs::write(folder.path().join("heeler.db"), "x").unwrap();
        let copy = Scratch::within(&state).unwrap();
        sweep(&state).unwrap();
        let mut names: Vec<PathBuf> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        names.sort();
        assert_eq!(names, [folder.path().join("heeler.db"), copy.0.clone()]);
    }
}
