//! The coordinator's part of `heeler init`: authority, identities, database.

use std::path::{Path, PathBuf};

use heeler_proto::OperatorName;
use heeler_store::{Operator, Store, StoreError, Tx};

use crate::audit::write;
use crate::backup::RECIPIENT;
use crate::clock::Clock;
use crate::pki::{Ca, PkiError, ServerIdentity, make_folder, new_operator, public_point, write_secret};
use crate::state::{LockError, Lost, StateFolder};

/// Options of `heeler init`.
pub struct InitOptions {
    /// The state folder; made when it is missing.
    pub state: StateFolder,
    /// Folder of heeler.toml.
    pub config: PathBuf,
    /// Cluster name: lower-case letters, digits and inner hyphens, at most 15.
    pub cluster: String,
    /// Name of the operator whose key signs consents.
    pub operator: OperatorName,
}

/// Why the state could not be made.
#[expect(missing_docs, reason = "the messages say it")]
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// A coordinator uses the state folder.
    #[error("{}", .0.for_a_new_one())]
    Lock(LockError),
    /// Part of the state is missing.
    #[error(transparent)]
    Lost(#[from] Lost),
    #[error("could not make the coordinator's keys")]
    Pki(#[from] PkiError),
    #[error("could not make the coordinator's database")]
    Store(#[from] StoreError),
    #[error("{} is the state of the cluster {found:?}. For another cluster, name another folder: --state DIR", folder.display())]
    OtherCluster { folder: PathBuf, found: String },
    #[error(
        "{} holds the coordinator of {cluster:?}, and {name} is not one of its operators. Only an operator can add \
         one, heeler init cannot.",
        folder.display()
    )]
    NewOperator {
        folder: PathBuf,
        cluster: String,
        name: OperatorName,
        /// Names of the operators who are not revoked, separated by ` | `.
        known: String,
    },
    #[error(
        "the operator {0} is revoked, and the name can never be used again. With another name: heeler init \
        --operator NAME"
    )]
    Revoked(OperatorName),
    /// The operator's key is not on this machine; a new key would not be accepted.
    #[error(
        "the key of the operator {name} is not here: {} holds another key. If a backup has it: heeler backup restore. \
         Without one, another operator adds you under another name: heeler operator request --name NAME",
        path.display()
    )]
    KeyElsewhere {
        /// Operator name: letters, digits and `._@-`, at most 64.
        name: OperatorName,
        path: PathBuf,
    },
}

impl InitError {
    /// What to type; empty when the error's own text says it.
    pub fn next(&self) -> String {
        match self {
            Self::Lock(LockError::Held { .. }) => {
                "For a new cluster: unset HEELER_STATE, or name another folder: --state DIR\nTo repair this one, stop \
                 its heeler serve first"
                    .to_owned()
            }
            Self::NewOperator { name, known, .. } => format!(
                "To be added:  heeler operator request --name {name}, then one of them types: heeler operator add FILE\n\
                 As one of them:  heeler init --operator {known}"
            ),
            _ => String::new(),
        }
    }
}

/// The epoch for a coordinator that starts now: the Unix time in seconds, later than that of every earlier one.
pub fn epoch_at(now_ms: u64) -> u64 {
    now_ms / 1000
}

/// Finds what [`init`] would refuse, before anything is made. Returns whether there is a coordinator with a recovery
/// key. Fails when the state is another cluster's or incomplete, or the name is not one of its operators.
pub async fn look(options: &InitOptions) -> Result<bool, InitError> {
    let state = &options.state;
    if !state.holds()? {
        return Ok(false);
    }
    let _lock = state.lock().map_err(InitError::Lock)?;
    let store = Store::open(&state.database()).await?;
    let mut tx = store.read().await?;
    let known = is_ours(&mut tx, options).await? && tx.meta(RECIPIENT).await?.is_some();
    drop(tx);
    store.close().await;
    Ok(known)
}

/// Makes what is missing and keeps what exists, so a second run repairs. Never makes another key for a known operator.
/// Returns whether the state folder is new. Fails when it belongs to another cluster, or something cannot be written.
pub async fn init(options: &InitOptions, clock: &dyn Clock) -> Result<bool, InitError> {
    let (state, now_ms) = (&options.state, clock.now_ms());
    make_folder(state.path())?;
    let _lock = state.lock().map_err(InitError::Lock)?;
    let database = state.database();
    if !state.holds()? {
        write_secret(&state.begun(), "")?;
    }
    if !database.exists() {
        write_secret(&database, "")?;
    }
    let store = Store::open(&database).await?;
    let mut tx = store.write().await?;
    let is_new = !is_ours(&mut tx, options).await?;
    let ca = match state.ca().join("key.pem").exists() {
        true => Ca::load(&state.ca())?,
        false => Ca::create(&state.ca(), &options.cluster, now_ms)?,
    };
    ServerIdentity::load_or_renew(&ca, &state.server(), now_ms)?;
    let config = options.config.to_string_lossy();
    write_secret(&state.config(), &format!("{config}\n"))?;
    if is_new {
        tx.set_meta("cluster", &options.cluster).await?;
        tx.set_meta("epoch", &epoch_at(now_ms).to_string()).await?;
        let detail = format!("cluster {}", options.cluster);
        write(&mut tx, options.operator.as_str(), ("init", "", &detail), now_ms).await?;
        let operator = Operator {
            name: options.operator.to_string(),
            public_key_pem: new_operator(&state.operator(options.operator.as_str()))?,
        };
        tx.add_operator(&operator, now_ms).await?;
    }
    tx.save().await?;
    store.close().await;
    forget(&state.begun())?;
    Ok(is_new)
}

/// Whether the database is of the cluster that was asked for; false when it is empty.
async fn is_ours(tx: &mut Tx, options: &InitOptions) -> Result<bool, InitError> {
    let state = &options.state;
    let Some(found) = tx.meta("cluster").await? else {
        // An empty database without the marker of an unfinished init: its content was lost.
        return match state.begun().exists() {
            true => Ok(false),
            false => Err(Lost::Database(state.path().to_owned()).into()),
        };
    };
    if found != options.cluster {
        return Err(InitError::OtherCluster {
            folder: state.path().to_owned(),
            found,
        });
    }
    let (records, name) = (tx.operator_records().await?, &options.operator);
    let Some(record) = records.iter().find(|record| record.name == name.as_str()) else {
        let known = records.iter().filter(|record| record.revoked_at_ms == 0);
        let known: Vec<&str> = known.map(|record| record.name.as_str()).collect();
        return Err(InitError::NewOperator {
            folder: state.path().to_owned(),
            cluster: found,
            name: name.clone(),
            known: known.join(" | "),
        });
    };
    if record.revoked_at_ms > 0 {
        return Err(InitError::Revoked(name.clone()));
    }
    let path = state.operator(name.as_str()).join("key.pem");
    let here = path
        .exists()
        .then(|| new_operator(&state.operator(name.as_str())))
        .transpose()?;
    match here {
        // This run only repairs; the known operator's key is elsewhere and signs nothing.
        None => Ok(true),
        Some(pem) if public_point(&pem) == public_point(&record.public_key_pem) => Ok(true),
        Some(_) => Err(InitError::KeyElsewhere {
            name: name.clone(),
            path,
        }),
    }
}

fn forget(path: &Path) -> Result<(), PkiError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(PkiError::File {
            what: "remove",
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Clock for Fixed {
        fn now_ms(&self) -> u64 {
            1_800_000_000_000
        }
    }

    fn options(folder: &tempfile::TempDir, cluster: &str) -> InitOptions {
        InitOptions {
            state: StateFolder::new(folder.path().join("state")),
            config: folder.path().join("config"),
            cluster: cluster.into(),
            operator: OperatorName::new("me").unwrap(),
        }
    }

    fn keys(state: &StateFolder) -> Vec<String> {
        let files = [
            "ca/key.pem",
            "ca/certificate.pem",
            "server/key.pem",
            "operators/me/key.pem",
        ];
        files
            .iter()
            .map(|file| std::fs::read_to_string(state.path().join(file)).unwrap())
            .collect()
    }

    #[tokio::test]
    async fn run_twice_it_changes_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(&folder, "k8sctl");
        assert!(init(&options, &Fixed).await.unwrap());
        let first = keys(&options.state);
        assert!(!init(&options, &Fixed).await.unwrap());
        assert_eq!(keys(&options.state), first);
    }

    #[tokio::test]
    async fn only_the_owner_reads_what_is_in_the_state_folder() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let options = options(&folder, "k8sctl");
        init(&options, &Fixed).await.unwrap();
        for file in [
            "heeler.db",
            "ca/key.pem",
            "server/key.pem",
            "operators/me/key.pem",
            "config",
            "lock",
        ] {
            let mode = std::fs::metadata(options.state.path().join(file))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }

    #[tokio::test]
    async fn an_incomplete_coordinator_is_never_recreated() {
        for (file, emptied) in [("heeler.db", false), ("heeler.db", true), ("ca/key.pem", false)] {
            let folder = tempfile::tempdir().unwrap();
            let options = options(&folder, "k8sctl");
            init(&options, &Fixed).await.unwrap();
            let path = options.state.path().join(file);
            let authority = std::fs::read(options.state.ca().join("certificate.pem")).unwrap();
            match emptied {
                true => std::fs::write(&path, "").unwrap(),
                false => std::fs::remove_file(&path).unwrap(),
            }
            let refused = init(&options, &Fixed).await.unwrap_err();
            assert!(matches!(refused, InitError::Lost(_)), "{file}: {refused}");
            let text = refused.to_string();
            assert!(
                text.contains("backup restore") && text.contains("init --recover"),
                "{text}"
            );
            let left = std::fs::metadata(&path).map_or(0, |about| about.len());
            assert_eq!(left, 0, "{file} was made anew");
            assert_eq!(
                std::fs::read(options.state.ca().join("certificate.pem")).unwrap(),
                authority
            );
        }
    }

    #[tokio::test]
    async fn an_interrupted_init_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(&folder, "k8sctl");
        make_folder(options.state.path()).unwrap();
        write_secret(&options.state.begun(), "").unwrap();
        Ca::create(&options.state.ca(), "k8sctl", Fixed.now_ms()).unwrap();
        assert!(init(&options, &Fixed).await.unwrap());
        assert!(!options.state.begun().exists());
        assert!(!init(&options, &Fixed).await.unwrap());
    }

    #[tokio::test]
    async fn another_clusters_state_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        init(&options(&folder, "k8sctl"), &Fixed).await.unwrap();
        let refused = init(&options(&folder, "other"), &Fixed).await.unwrap_err();
        assert!(matches!(refused, InitError::OtherCluster { found, .. } if found == "k8sctl"));
    }

    #[tokio::test]
    async fn nothing_is_touched_under_a_running_coordinator() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(&folder, "k8sctl");
        init(&options, &Fixed).await.unwrap();
        let _lock = options.state.lock().unwrap();
        assert!(matches!(
            init(&options, &Fixed).await,
            Err(InitError::Lock(LockError::Held { .. }))
        ));
    }
}
