use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use heeler_store::{Event, EventQuery, NewTask, Store};
use tempfile::TempDir;

use super::archive::place;
use super::*;
use crate::clock::Clock;
use crate::init::{InitOptions, init};
use crate::state::StateFolder;

mod places;

const NOW: u64 = 1_800_000_000_000;

struct At(u64);
impl Clock for At {
    fn now_ms(&self) -> u64 {
        self.0
    }
}

struct Bench {
    folder: TempDir,
}

impl Bench {
    /// A coordinator with a recovery key, a pinned host key, and an open task.
    async fn new() -> Self {
        let bench = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        bench.init("state").await;
        fs::create_dir(bench.at("state/contact")).unwrap();
        fs::write(bench.at("state/contact/a.known_hosts"), "a ssh-ed25519 AAAA\n").unwrap();
        let store = Store::open(&bench.state("state").database()).await.unwrap();
        let mut tx = store.write().await.unwrap();
        tx.add_node("a", "0000002a").await.unwrap();
        let task = NewTask {
            id: "t".into(),
            node: "a".into(),
            kind: "ensure pool".into(),
            task: vec![],
            revision: 1,
            operator: "me".into(),
            predecessor: None,
            consented_until_ms: None,
            consents: vec![],
        };
        tx.add_task(&task, NOW).await.unwrap();
        for number in 0..3_000 {
            let event = Event {
                at_ms: NOW,
                text: number.to_string(),
                ..Event::default()
            };
            tx.add_event(&event).await.unwrap();
        }
        tx.save().await.unwrap();
        store.close().await;
        bench
    }

    async fn init(&self, name: &str) {
        let options = InitOptions {
            state: self.state(name),
            config: self.at("config"),
            cluster: "k8sctl".into(),
            operator: heeler_proto::OperatorName::new("me").unwrap(),
        };
        init(&options, &At(NOW)).await.unwrap();
        let key = self.at(&format!("{name}-recovery.txt"));
        let made = ensure_recovery(&options.state, &key, "me", NOW).await.unwrap();
        assert_eq!(made, RecoveryFile::Made(key));
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn state(&self, name: &str) -> StateFolder {
        StateFolder::new(self.at(name))
    }

    fn key(&self, name: &str) -> Recovery {
        Recovery::parse(&fs::read_to_string(self.at(&format!("{name}-recovery.txt"))).unwrap()).unwrap()
    }

    async fn packed(&self) -> PathBuf {
        let out = self.at("backup.age");
        pack(&self.state("state"), None, Content::Whole, &out, NOW)
            .await
            .unwrap();
        out
    }

    async fn restored(&self, into: &str, replace: bool, now_ms: u64) -> Result<Restored, BackupError> {
        let key = self.key("state");
        let options = Restore {
            archive: &self.at("backup.age"),
            opener: key.opener(),
            recovery: Some(&key),
            state: &self.state(into),
            cluster: Some("k8sctl"),
            config: None,
            replace,
            operator: "me",
        };
        restore(options, now_ms).await
    }

    async fn refusal(&self, bytes: &[u8], opener: Opener, recovery: Option<&Recovery>) -> BackupError {
        let archive = self.at("doubtful.age");
        fs::write(&archive, bytes).unwrap();
        let scratch = self.at("scratch");
        let refused = verify(&archive, opener, recovery, &scratch).await.unwrap_err();
        assert!(!scratch.exists(), "something was left behind");
        refused
    }
}

#[tokio::test]
async fn a_restore_is_complete_and_starts_a_later_epoch() {
    let bench = Bench::new().await;
    bench.packed().await;
    let restored = bench.restored("new/state", false, NOW + 60_000).await.unwrap();
    assert_eq!(
        (restored.open_tasks, restored.nodes.as_slice()),
        (1, &["a".to_owned()][..])
    );
    for file in [
        "ca/key.pem",
        "server/key.pem",
        "operators/me/key.pem",
        "contact/a.known_hosts",
        "backup/key.pem",
    ] {
        let (old, new) = (
            fs::read(bench.at("state").join(file)),
            fs::read(bench.at("new/state").join(file)),
        );
        assert_eq!(old.unwrap(), new.unwrap(), "{file}");
    }
    let store = Store::open(&bench.state("new/state").database()).await.unwrap();
    let mut tx = store.read().await.unwrap();
    assert_eq!(tx.meta("epoch").await.unwrap(), Some((NOW / 1000 + 60).to_string()));
    assert!(
        tx.open_tasks().await.unwrap().is_empty(),
        "nothing is handed out that was asked for before"
    );
    let all = EventQuery {
        limit: 10_000,
        ..EventQuery::default()
    };
    assert_eq!(
        tx.events(&all).await.unwrap().len(),
        3_001,
        "and one that tells of the restore"
    );
    let log = tx.audit(0, 100).await.unwrap();
    let mut walk = crate::audit::Walk::default();
    log.iter().try_for_each(|entry| walk.step(entry)).unwrap();
    assert_eq!(log.last().unwrap().action, "restored");
}

/// Every file of a folder except the lock.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = tree_and_locks(folder);
    found.retain(|path, _| path.file_name() != Some("lock".as_ref()));
    found
}

fn tree_and_locks(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[tokio::test]
async fn a_backup_that_was_cut_or_changed_anywhere_is_refused() {
    let bench = Bench::new().await;
    let whole = fs::read(bench.packed().await).unwrap();
    let key = bench.key("state");
    let step = whole.len() / 60;
    let cuts = (0..whole.len()).step_by(step).chain([1, 20, 170, whole.len() - 1]);
    for at in cuts {
        let refused = bench.refusal(&whole[..at], key.opener(), Some(&key)).await;
        assert!(matches!(refused, BackupError::Damaged(_)), "cut at {at}: {refused:?}");
    }
    for at in (0..whole.len()).step_by(step) {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        let refused = bench.refusal(&changed, key.opener(), Some(&key)).await;
        assert!(
            matches!(refused, BackupError::Damaged(_) | BackupError::WrongKey),
            "changed at {at}: {refused:?}"
        );
    }
    let mut longer = whole.clone();
    longer.push(0);
    bench.refusal(&longer, key.opener(), Some(&key)).await;
    verify(&bench.at("backup.age"), key.opener(), Some(&key), &bench.at("scratch"))
        .await
        .unwrap();
}

/// What `age -d -i KEYFILE FILE | tar x` does, as the guide says.
#[tokio::test]
async fn a_backup_opens_without_heeler() {
    let bench = Bench::new().await;
    let encrypted = fs::File::open(bench.packed().await).unwrap();
    let mut opened = bench.key("state").opener().open(encrypted).unwrap();
    std::io::copy(&mut opened, &mut fs::File::create(bench.at("backup.tar")).unwrap()).unwrap();
    let folder = bench.at("recovered");
    fs::create_dir(&folder).unwrap();
    let tar = heeler_os::Command::change("tar").args(["xf", "../backup.tar"]);
    let done = heeler_os::person::run_in(&folder, &tar).await.unwrap();
    assert!(done.ok(), "{done:?}");
    let manifest: Manifest = serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    assert!(folder.join("manifest.sig").exists());
    assert!(manifest.files.len() > 5, "{manifest:?}");
    for file in &manifest.files {
        let sha256 = heeler_proto::sha256(&fs::read(folder.join(&file.path)).unwrap());
        assert_eq!(heeler_proto::hex(&sha256), file.sha256, "{}", file.path);
    }
    Store::check(&folder.join("heeler.db")).await.unwrap();
}

/// A program that can encrypt for the recovery key can also add to a signed archive.
#[test]
fn an_archive_with_other_files_than_listed_is_refused() {
    let entry = |path: &str, bytes: u64| Entry {
        path: path.to_owned(),
        bytes,
        sha256: heeler_proto::hex(&heeler_proto::sha256(b"abc")),
    };
    let mut tar = tar::Builder::new(Vec::new());
    archive::append(&mut tar, "ca/key.pem", 3, &b"abc"[..], NOW).unwrap();
    let packed = tar.into_inner().unwrap();
    let read = |packed: &[u8], entry: &Entry| {
        let (mut packed, mut into) = (packed, Vec::new());
        archive::read_file(&mut packed, entry, &mut into, Path::new("x"))?;
        archive::read_end(&mut packed).map(|()| into)
    };
    assert_eq!(read(&packed, &entry("ca/key.pem", 3)).unwrap(), b"abc");
    let mut link = packed.clone();
    link[156] = b'2';
    let longer = [&packed[..1024], &packed[..]].concat();
    for (packed, entry) in [
        (&packed, entry("ca/other.pem", 3)),
        (&packed, entry("ca/key.pem", 4)),
        (&link, entry("ca/key.pem", 3)),
        (&longer, entry("ca/key.pem", 3)),
        (&packed[..700].to_vec(), entry("ca/key.pem", 3)),
    ] {
        let refused = read(packed, &entry).unwrap_err();
        assert!(matches!(refused, BackupError::Damaged(_)), "{refused:?}");
    }
}

#[tokio::test]
async fn only_the_right_key_opens_a_backup() {
    let bench = Bench::new().await;
    let whole = fs::read(bench.packed().await).unwrap();
    bench.init("other").await;
    let other = bench.key("other");
    let refused = bench.refusal(&whole, other.opener(), Some(&other)).await;
    assert!(matches!(refused, BackupError::WrongKey), "{refused:?}");
    let words = Opener::passphrase("words".into());
    assert!(matches!(
        bench.refusal(&whole, words, None).await,
        BackupError::WrongKey
    ));

    // Somebody who knows the public half encrypts another state.
    let forged = bench.at("forged.age");
    let recipient = {
        let store = Store::open(&bench.state("state").database()).await.unwrap();
        store
            .read()
            .await
            .unwrap()
            .meta(super::recovery::RECIPIENT)
            .await
            .unwrap()
            .unwrap()
    };
    let lock = Lock::recipient(&recipient);
    pack(&bench.state("other"), lock, Content::Whole, &forged, NOW)
        .await
        .unwrap();
    let key = bench.key("state");
    let refused = bench
        .refusal(&fs::read(forged).unwrap(), key.opener(), Some(&key))
        .await;
    assert!(matches!(refused, BackupError::OtherSigner), "{refused:?}");
}

#[tokio::test]
async fn a_passphrase_encrypts_and_another_one_does_not_open() {
    let bench = Bench::new().await;
    let out = bench.at("backup.age");
    let lock = Some(Lock::passphrase("correct horse".into()));
    pack(&bench.state("state"), lock, Content::Thin(1 << 20), &out, NOW)
        .await
        .unwrap();
    let whole = fs::read(&out).unwrap();
    let wrong = Opener::passphrase("wrong horse".into());
    assert!(matches!(
        bench.refusal(&whole, wrong, None).await,
        BackupError::WrongKey
    ));
    let right = Opener::passphrase("correct horse".into());
    let manifest = verify(&out, right, None, &bench.at("scratch")).await.unwrap();
    assert!(manifest.thin && manifest.cluster == "k8sctl");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_unreadable_backup_is_not_kept() {
    use std::os::unix::ffi::OsStrExt as _;
    let bench = Bench::new().await;
    // Two names that become equal when they are converted to text.
    for name in [b"a\xfe", b"a\xff"] {
        let name = std::ffi::OsStr::from_bytes(name);
        fs::write(bench.at("state/contact").join(name), b"pins").unwrap();
    }
    let before = tree_and_locks(bench.folder.path());
    let out = bench.at("backup.age");
    let refused = pack(&bench.state("state"), None, Content::Whole, &out, NOW).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(&refused, BackupError::NotWhole(why) if why.contains("twice")),
        "{refused:?}"
    );
    assert_eq!(tree_and_locks(bench.folder.path()), before);
}

#[tokio::test]
async fn a_damaged_database_is_not_backed_up() {
    let bench = Bench::new().await;
    let database = bench.state("state").database();
    let mut bytes = fs::read(&database).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle - 6000..middle + 6000].fill(0x5a);
    for bytes in [
        bytes,
        b"no database at all, but long enough to have a header and a page".repeat(100),
    ] {
        fs::write(&database, bytes).unwrap();
        let refused = Store::open(&database).await.unwrap_err().to_string();
        assert!(refused.contains("heeler backup restore"), "{refused}");
        let out = bench.at("of-a-damaged-one.age");
        assert!(
            pack(&bench.state("state"), None, Content::Whole, &out, NOW)
                .await
                .is_err()
        );
        assert!(!out.exists());
    }
}

#[tokio::test]
async fn a_thin_backup_leaves_old_history_out() {
    let bench = Bench::new().await;
    let out = bench.at("backup.age");
    let thin = pack(&bench.state("state"), None, Content::Thin(4 << 20), &out, NOW)
        .await
        .unwrap();
    let restored = bench.restored("new", false, NOW).await.unwrap();
    assert_eq!(restored.manifest, thin.manifest);
    let store = Store::open(&bench.state("new").database()).await.unwrap();
    let all = EventQuery {
        limit: 10_000,
        ..EventQuery::default()
    };
    assert_eq!(store.read().await.unwrap().events(&all).await.unwrap().len(), 2_001);
    let small = pack(&bench.state("state"), None, Content::Thin(10_000), &out, NOW).await;
    assert!(matches!(small, Err(BackupError::TooLarge { .. })));
}

#[test]
fn a_path_in_a_backup_leads_nowhere_else() {
    let entry = |path: &str| Entry {
        path: path.into(),
        bytes: 0,
        sha256: String::new(),
    };
    let folder = std::path::Path::new("/s");
    for path in ["/etc/passwd", "../x", "a/../../x", "", "."] {
        assert_eq!(place(&entry(path), folder), None, "{path}");
    }
    assert_eq!(place(&entry("ca/key.pem"), folder), Some("/s/ca/key.pem".into()));
}

#[tokio::test]
async fn linked_keys_are_in_the_backup() {
    use std::os::unix::fs::symlink;
    let bench = Bench::new().await;
    for (name, elsewhere) in [("ca", "vault-ca"), ("server/key.pem", "vault-server.pem")] {
        fs::rename(bench.at("state").join(name), bench.at(elsewhere)).unwrap();
        symlink(bench.at(elsewhere), bench.at("state").join(name)).unwrap();
    }
    fs::create_dir(bench.at("home")).unwrap();
    fs::write(bench.at("home/letters"), b"not heeler's").unwrap();
    symlink(bench.at("home"), bench.at("state/home")).unwrap();
    bench.packed().await;
    bench.restored("new", false, NOW).await.unwrap();
    for file in ["ca/key.pem", "ca/certificate.pem", "server/key.pem"] {
        let (old, new) = (bench.at("state").join(file), bench.at("new").join(file));
        assert_eq!(fs::read(old).unwrap(), fs::read(new).unwrap(), "{file}");
    }
    assert!(!bench.at("new/home").exists());

    let out = bench.at("lacking.age");
    let refused = async || {
        let refused = pack(&bench.state("state"), None, Content::Whole, &out, NOW).await;
        assert!(!out.exists());
        refused.unwrap_err().to_string()
    };
    fs::write(bench.at("state/contact/a.known_hosts"), vec![b'a'; 2 << 20]).unwrap();
    let told = refused().await;
    assert!(told.contains("contact/a.known_hosts would be missing"), "{told}");
    fs::remove_file(bench.at("state/contact/a.known_hosts")).unwrap();
    fs::remove_file(bench.at("vault-server.pem")).unwrap();
    let told = refused().await;
    assert!(told.contains("server/key.pem"), "{told}");
}

#[tokio::test]
async fn a_backup_overwrites_no_other_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new().await;
    let beside = ["backup.new", "backup.age.new", ".backup.age.new"].map(|name| bench.at(name));
    beside.iter().for_each(|path| fs::write(path, b"precious").unwrap());
    let count = || fs::read_dir(bench.folder.path()).unwrap().count();
    let before = count();
    let out = bench.packed().await;
    for path in &beside {
        assert_eq!(fs::read(path).unwrap(), b"precious", "{}", path.display());
    }
    assert_eq!(fs::metadata(out).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(count(), before + 1, "nothing but the backup is left");
}

#[test]
fn a_full_disk_is_not_called_a_damaged_backup() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let entry = Entry {
        path: "heeler.db".into(),
        bytes: 3,
        sha256: String::new(),
    };
    let place = Path::new("/tmp/x/heeler.db");
    let mut tar = tar::Builder::new(Vec::new());
    archive::append(&mut tar, "heeler.db", 3, &b"abc"[..], NOW).unwrap();
    let packed = tar.into_inner().unwrap();
    let refused = archive::read_file(&mut &packed[..], &entry, &mut Full, place).unwrap_err();
    assert!(matches!(refused, BackupError::NoRoom { .. }), "{refused:?}");
    let told = refused.to_string();
    assert!(
        told.contains("no room to write /tmp/x/heeler.db") && told.contains("df -h"),
        "{told}"
    );
}

#[tokio::test]
async fn a_full_disk_stops_the_backup_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_within(&folder.path().join("heeler.db"), Some(1 << 20)).await;
    let mut tx = store.unwrap().write().await.unwrap();
    let full = tx.set_meta("room", &"x".repeat(2 << 20)).await.unwrap_err();
    let place = Path::new("/state/heeler.db.copying");
    let told = error::stored("copy the database to", place)(full).to_string();
    assert!(
        told.contains("no room to copy the database to /state/heeler.db.copying") && told.contains("df -h"),
        "{told}"
    );
}
