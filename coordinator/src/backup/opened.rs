use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use age::stream::StreamReader;
use heeler_proto::unhex;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

use super::archive::{Entry, Manifest, place, read_end, read_file, read_head};
use super::encrypt::Opener;
use super::error::{BackupError, Result, damaged, failed};
use super::place::sync;
use super::recovery::Recovery;
use crate::pki::make_folder;

/// A backup without these files is useless.
const NEEDED: [&str; 2] = ["heeler.db", "ca/key.pem"];

/// A backup that is opened and whose signature is checked. Nothing is written yet.
pub(super) struct Opened {
    pub(super) manifest: Manifest,
    from: StreamReader<BufReader<File>>,
}

impl Opened {
    pub(super) fn open(archive: &Path, opener: &Opener, recovery: Option<&Recovery>) -> Result<Self> {
        let encrypted = File::open(archive).map_err(failed("read", archive))?;
        let mut from = opener.open(BufReader::new(encrypted))?;
        let (manifest, text, signature) = read_head(&mut from)?;
        let point = unhex(&manifest.signer).ok_or_else(|| damaged("it does not say who made it"))?;
        let signed = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(&text, &signature);
        if signed.is_err() {
            return Err(damaged("its signature is wrong"));
        }
        if recovery.is_some_and(|recovery| !recovery.believes(&manifest.signer)) {
            return Err(BackupError::OtherSigner);
        }
        let mut paths = HashSet::new();
        for entry in &manifest.files {
            if !paths.insert(entry.path.as_str()) {
                return Err(damaged(format!("{} is in it twice", entry.path)));
            }
            if place(entry, Path::new("/")).is_none() {
                return Err(damaged("a path in it leads elsewhere"));
            }
        }
        if NEEDED.iter().any(|needed| !paths.contains(needed)) {
            return Err(damaged("it holds no database or no authority"));
        }
        Ok(Self { manifest, from })
    }

    /// Writes every file below `folder`.
    pub(super) fn unpack(self, folder: &Path) -> Result<Manifest> {
        self.walk(|from, entry| {
            let place = place(entry, folder);
            let path = place.ok_or_else(|| damaged("a path in it leads elsewhere"))?;
            if let Some(parent) = path.parent() {
                make_folder(parent)?;
            }
            let mut options = fs::OpenOptions::new();
            let file = options.write(true).create_new(true).mode(0o600).open(&path);
            let mut file = BufWriter::new(file.map_err(failed("make", &path))?);
            read_file(from, entry, &mut file, &path)?;
            file.flush()
                .and_then(|()| file.get_ref().sync_all())
                .map_err(failed("write", &path))?;
            let mut folders = path.ancestors().skip(1).take_while(|above| above.starts_with(folder));
            folders.try_for_each(sync)
        })
    }

    /// Checks every file without writing any.
    pub(super) fn prove(self) -> Result<Manifest> {
        self.walk(|from, entry| read_file(from, entry, &mut io::sink(), Path::new(&entry.path)))
    }

    fn walk(
        mut self,
        mut each: impl FnMut(&mut StreamReader<BufReader<File>>, &Entry) -> Result<()>,
    ) -> Result<Manifest> {
        for entry in &self.manifest.files {
            each(&mut self.from, entry)?;
        }
        read_end(&mut self.from)?;
        Ok(self.manifest)
    }
}
