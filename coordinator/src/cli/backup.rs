use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use heeler_proto::hex;
use heeler_proto::json::{BackupCreate, BackupVerify};
use heeler_store::Store;

use super::error::{failed, file};
use super::restore::{RestoreFrom, described, restore_state, target};
use super::{CliError, Console, Context, Exit, Result, copies, given};
use crate::audit::write;
use crate::backup::{BackupError, Content, Lock, Opener, Packed, Recovery, has_passphrase, pack, verify};
use crate::screen::{self, Line};
use crate::state::StateFolder;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
A backup holds all that the coordinator knows and every key, in one
encrypted file. A restore writes the last applied heeler.toml if there is
none. Nodes with a pool hold encrypted copies too, made every hour: see
heeler init --recover.")]
pub(super) enum Backup {
    /// Save the state in one encrypted file; the coordinator keeps running
    Create(Create),
    /// Restore a lost state from a backup
    Restore(RestoreArgs),
    /// List the nodes that hold encrypted copies of the state, with their age
    List,
    /// Send a new encrypted copy to every node with a pool now
    Copy,
    /// Open a backup and check that it is complete; changes nothing
    Verify {
        file: PathBuf,
        #[command(flatten)]
        key: KeyArgs,
    },
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The file to write [default: heeler-CLUSTER-TIME.age in this folder]
    file: Option<PathBuf>,
    /// Encrypt with a passphrase instead of the recovery key; heeler asks for it, or reads the first line of stdin
    #[arg(long)]
    passphrase: bool,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    key: KeyArgs,
    /// Replace the existing coordinator; its state is kept in a folder beside it
    #[arg(long)]
    replace: bool,
}

/// Options for the key that opens a backup.
#[derive(Debug, Args)]
pub(super) struct KeyArgs {
    /// The file with the recovery key; - for stdin [default: heeler asks]
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase")]
    identity: Option<PathBuf>,
    /// The backup has a passphrase; heeler asks for it, or reads the first line of stdin
    #[arg(long)]
    passphrase: bool,
}

impl KeyArgs {
    /// Checks that the named file can be read.
    pub(super) fn check(&self) -> Result<()> {
        match &self.identity {
            Some(path) if path.as_os_str() != "-" => given::readable(path),
            _ => Ok(()),
        }
    }

    /// Checks, before anybody is asked for a key, that `archive` is a backup and that these options can open it.
    fn fit(&self, archive: &Path) -> Result<()> {
        given::readable(archive)?;
        if self.identity.as_ref().is_some_and(|path| path.as_os_str() != "-") {
            return self.check();
        }
        let encrypted = has_passphrase(archive).map_err(failed)?;
        match (encrypted, self.passphrase) {
            (true, false) => Err(CliError::Usage(format!(
                "{} is encrypted with a passphrase: give --passphrase",
                archive.display()
            ))),
            (false, true) => Err(CliError::Usage(format!(
                "{} is encrypted for a recovery key: leave out --passphrase",
                archive.display()
            ))),
            _ => Ok(()),
        }
    }

    /// Reads the key or passphrase from the file or stdin, or asks for it.
    pub(super) fn read(&self, console: &mut Console<'_>) -> Result<(Opener, Option<Recovery>)> {
        if self.passphrase {
            let words = secret("Passphrase of the backup:", console)?;
            return Ok((Opener::passphrase(words), None));
        }
        let text = match &self.identity {
            Some(path) if path.as_os_str() == "-" => {
                let mut bytes = Vec::new();
                let read = std::io::stdin().take(64 << 10).read_to_end(&mut bytes);
                read.map_err(file("read", "stdin"))?;
                String::from_utf8_lossy(&bytes).into_owned()
            }
            // A file that is not text is no recovery key, which the parser says better than the reader.
            Some(path) => {
                let bytes = std::fs::read(path).map_err(file("read", path))?;
                String::from_utf8_lossy(&bytes).into_owned()
            }
            None => secret(
                "Recovery key (the line AGE-SECRET-KEY-1… of heeler-recovery-CLUSTER.txt):",
                console,
            )?,
        };
        let recovery = Recovery::parse(&text).map_err(failed)?;
        Ok((recovery.opener(), Some(recovery)))
    }
}

pub(super) async fn run(args: Backup, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    match args {
        Backup::Create(args) => create(args, context, console).await,
        Backup::List => copies::list(context, console).await,
        Backup::Copy => copies::make(context, console).await,
        Backup::Restore(args) => {
            let archive = context.around.folder.join(&args.file);
            given::readable(&archive)?;
            target(None, args.replace, context)?;
            args.key.fit(&archive)?;
            let key = args.key.read(console)?;
            let how = RestoreFrom {
                archive: &archive,
                key,
                folder: None,
                replace: args.replace,
            };
            restore_state(how, context, console).await
        }
        Backup::Verify { file, key } => {
            let path = context.around.folder.join(&file);
            key.fit(&path)?;
            let (opener, recovery) = key.read(console)?;
            let scratch = tempfile::tempdir().map_err(super::error::file("make", "a temporary folder"))?;
            let manifest = verify(&path, opener, recovery.as_ref(), &scratch.path().join("backup"))
                .await
                .map_err(failed)?;
            let lines = described(&manifest, context.clock.now_ms(), console);
            console.answer(
                BackupVerify {
                    sound: true,
                    backup: Some(manifest),
                },
                |_| {
                    std::iter::once(Line::of("The backup is complete and unchanged."))
                        .chain(lines)
                        .collect()
                },
            )
        }
    }
}

async fn create(args: Create, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let state = StateFolder::new(context.state());
    let now_ms = context.clock.now_ms();
    if !state.holds().map_err(|lost| failed(BackupError::from(lost)))? {
        let path = state.path().to_owned();
        return Err(match path.try_exists() {
            Ok(false) => CliError::NoState(path),
            _ => failed(BackupError::NoCoordinator(path)),
        });
    }
    let file = match &args.file {
        Some(file) => context.around.folder.join(file),
        None => context.around.folder.join(usual_name(&state, now_ms, console).await?),
    };
    if file.exists() {
        return Err(CliError::Usage(format!(
            "{} exists already, and heeler never overwrites a backup: name another file",
            file.display()
        )));
    }
    if let Some(folder) = file.parent().filter(|folder| !folder.is_dir()) {
        return Err(CliError::Usage(format!(
            "{}: there is no folder {}",
            file.display(),
            folder.display()
        )));
    }
    let lock = args.passphrase.then(|| new_passphrase(console)).transpose()?;
    let packed = pack(&state, lock, Content::Whole, &file, now_ms)
        .await
        .map_err(failed)?;
    note(&state, &packed, &context.around.login(), now_ms)
        .await
        .map_err(|error| {
            let file = file.display();
            CliError::Other(format!(
                "{file} is complete and stays, but could not be recorded in the audit log: {error}"
            ))
        })?;
    let opens = if args.passphrase {
        "the passphrase opens it"
    } else {
        "the recovery key opens it"
    };
    let mut lines = vec![Line::of(format!(
        "{}  {}; {opens}",
        file.display(),
        screen::gibibytes(packed.bytes)
    ))];
    lines.extend(described(&packed.manifest, now_ms, console));
    lines.push(Line::of(
        "It holds every key of the cluster: keep it on another machine than the coordinator's.",
    ));
    console.answer(
        BackupCreate {
            file: file.display().to_string(),
            bytes: packed.bytes,
            sha256: packed.sha256.to_vec(),
            backup: Some(packed.manifest),
        },
        |_| lines,
    )
}

async fn usual_name(state: &StateFolder, now_ms: u64, console: &Console<'_>) -> Result<String> {
    let cluster = async {
        let store = Store::open(&state.database()).await?;
        let cluster = store.read().await?.meta("cluster").await?;
        store.close().await;
        Ok(cluster.unwrap_or_default())
    };
    let cluster = cluster.await.map_err(|error| failed(BackupError::Store(error)))?;
    let time = screen::date(now_ms, &console.zone).replace(' ', "T").replace(':', "");
    Ok(format!("heeler-{cluster}-{time}.age"))
}

/// Enters the backup in the audit log: it holds every key.
async fn note(state: &StateFolder, packed: &Packed, who: &str, now_ms: u64) -> Result<()> {
    let noted = async {
        let store = Store::open(&state.database()).await?;
        let mut tx = store.write().await?;
        let detail = format!("{} bytes, sha256 {}", packed.bytes, hex(&packed.sha256));
        write(&mut tx, who, ("backup", "", &detail), now_ms).await?;
        tx.save().await?;
        store.close().await;
        Ok(())
    };
    noted.await.map_err(|error| failed(BackupError::Store(error)))
}

fn new_passphrase(console: &mut Console<'_>) -> Result<Lock> {
    let words = secret("Passphrase for the backup, twelve characters or more:", console)?;
    if words.chars().count() < 12 {
        return Err(CliError::Usage(
            "a passphrase of fewer than twelve characters is easy to guess, and the backup holds every key".into(),
        ));
    }
    if console.person.is_there() && secret("Repeat the passphrase:", console)? != words {
        return Err(CliError::Usage("the two passphrases differ".to_owned()).next("Nothing was changed."));
    }
    Ok(Lock::passphrase(words))
}

fn secret(question: &str, console: &mut Console<'_>) -> Result<String> {
    let said = console.person.ask_secret(question).ok().flatten();
    said.filter(|said| !said.is_empty()).ok_or_else(|| {
        CliError::NobodyToAsk("no key or passphrase was given to open the backup".to_owned())
            .next("Name the recovery key's file: --identity FILE, or give it on stdin: --identity -")
    })
}

/// Whether `path` is below `folder` when links of their folders are resolved. `path` itself need not exist.
pub(super) fn within(path: &Path, folder: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let parent = path.parent().map(real).unwrap_or_default();
    parent.starts_with(real(folder))
}
