use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

use clap::Args;
use heeler_proto::OperatorName;
use heeler_proto::json::Initialised;

use super::error::{failed, file, in_full};
use super::place::write_whole;
use super::{CliError, Console, Context, Exit, Result, backup, from_ansible, git, recover};
use crate::ansible::Fleet;
use crate::backup::{RecoveryFile, ensure_recovery, readable};
use crate::config::{self, DEFAULT_PORT, FILE, parse_bytes, template};
use crate::init::{InitError, InitOptions, init, look};
use crate::known::word;
use crate::screen::{self, Line};
use crate::state::StateFolder;

#[derive(Debug, Args)]
#[command(after_help = "\
Creates what is missing and keeps what exists; running it again is safe.
  heeler init --cluster home                             in this folder
  heeler init --cluster home ~/fleet --address 10.0.0.2  in ~/fleet
  heeler init --cluster home --from-ansible hosts.ini    with the nodes of an
                                            Ansible inventory
  heeler init --recover --from NODE ~/fleet              recover a lost
                                            coordinator from a node's copy")]
pub(super) struct Init {
    /// Folder of heeler.toml, a git repository [default: --config, else this one]
    folder: Option<PathBuf>,
    /// Name of the cluster [default: heeler asks]
    #[arg(long)]
    cluster: Option<String>,
    /// Address at which agents reach the coordinator; may be given more than once [default: this machine's]
    #[arg(long, value_name = "IP[:PORT]")]
    address: Vec<String>,
    /// Name of the operator whose key signs consents [default: the login name]
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// File for the recovery key, which opens backups; outside both folders [default: ~/heeler-recovery-CLUSTER.txt]
    #[arg(long, value_name = "FILE")]
    recovery: Option<PathBuf>,
    /// Take the nodes from this Ansible inventory (INI), and say what was taken, changed and left out
    #[arg(long, value_name = "FILE", conflicts_with = "recover")]
    from_ansible: Option<PathBuf>,
    #[command(flatten)]
    recover: recover::Recover,
}

pub(super) async fn run(args: &Init, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let named = args.folder.as_ref().or(context.global.config.as_ref());
    let folder = context
        .around
        .folder
        .join(named.map_or_else(PathBuf::new, Clone::clone));
    let folder = std::path::absolute(&folder).map_err(file("find", &folder))?;
    if args.recover.is_requested() {
        return recover::run(&args.recover, &folder, context, console).await;
    }
    let operator = operator(&args.operator.clone().unwrap_or_else(|| context.around.login()))?;
    let path = folder.join(FILE);
    let there = match std::fs::read(&path) {
        // An init on a full disk left an empty file.
        Ok(bytes) if bytes.is_empty() => None,
        Ok(bytes) => Some(parse_bytes(&bytes).map_err(CliError::Config)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(file("read", &path)(error)),
    };
    let is_new = there.is_none();
    let fleet = match &args.from_ansible {
        Some(_) if !is_new => return Err(no_import(&path, &folder)),
        Some(named) => Some(from_ansible::read(&context.around.folder.join(named))?),
        None => None,
    };
    let state = StateFolder::new(context.state());
    if is_new {
        // Checked before the question for a name.
        addresses(args)?;
        if args.cluster.is_none() {
            refuse_a_second(&state, &folder)?;
        }
    }
    check_recovery(args, (state.path(), &folder), context)?;
    let cluster = match &there {
        Some(config) => config.cluster.value.clone(),
        None => name(args, fleet.as_ref(), console)?,
    };
    if let Some(other) = args.cluster.as_ref().filter(|other| **other != cluster) {
        return Err(CliError::Usage(format!(
            "{} is of the cluster {cluster}, not {other}",
            path.display()
        )));
    }
    let named = |config: &config::Config| config.coordinator.iter().map(|at| at.value).collect::<Vec<_>>();
    let others = !args.address.is_empty() && there.is_some_and(|config| addresses(args).ok() != Some(named(&config)));
    if others {
        return Err(CliError::Usage(format!(
            "--address: {} exists already, and its [coordinator] has the addresses",
            path.display()
        ))
        .next("Change them there, then: heeler apply"));
    }
    let text = is_new.then(|| first_text(args, &cluster, fleet.as_ref())).transpose()?;
    let key = recovery_file(args, &cluster, (state.path(), &folder), context)?;
    let options = InitOptions {
        state: state.clone(),
        config: folder.clone(),
        cluster: cluster.clone(),
        operator,
    };
    let other = |error: InitError| CliError::Other(in_full(&error)).next(error.next());
    match (look(&options).await.map_err(other)?, &args.recovery) {
        (true, Some(_)) => {
            return Err(CliError::Usage(
                "--recovery: this coordinator already has a recovery key, and a second one would open nothing"
                    .to_owned(),
            )
            .next("Leave it out."));
        }
        (true, None) => {}
        (false, _) => readable(&key).map_err(failed)?,
    }
    if is_new {
        refuse_a_second(&state, &folder)?;
    }
    // Nothing was written before this line.
    std::fs::create_dir_all(&folder).map_err(file("make", &folder))?;
    if let Some(text) = text {
        write_whole(&path, &text)?;
    }
    let in_git = git::make_repository(&folder).await;
    let new_state = init(&options, context.clock).await.map_err(other)?;
    let recovery = ensure_recovery(&state, &key, &context.around.login(), context.clock.now_ms())
        .await
        .map_err(failed)?;
    let document = Initialised {
        cluster: cluster.clone(),
        config: folder.display().to_string(),
        state: state.path().display().to_string(),
        new_state,
        git: in_git,
        recovery_key: match &recovery {
            RecoveryFile::Known => None,
            RecoveryFile::Made(path) | RecoveryFile::Again(path) => Some(path.display().to_string()),
        },
        from_ansible: fleet.as_ref().map(|fleet| fleet.report.clone()),
    };
    let made = if new_state { "made" } else { "exists already" };
    let mut lines = vec![
        Line::of(format!(
            "config  {}{}",
            path.display(),
            if in_git { "" } else { " (git did not work)" }
        )),
        Line::of(format!(
            "state   {} ({made}): it holds the keys",
            state.path().display()
        )),
    ];
    lines.extend(document.from_ansible.iter().flat_map(screen::imported));
    lines.extend([Line::new(), Line::of("Next: heeler serve")]);
    match fleet.iter().flat_map(Fleet::names).next() {
        Some(first) => lines.extend([
            Line::of(format!(
                "      and in another terminal, for each node: heeler node add {first}"
            )),
            Line::of("      which offers its disks for heeler.toml, and then: heeler plan"),
        ]),
        None => lines.push(Line::of(
            "      and in another terminal: heeler node add NAME --ssh USER@HOST",
        )),
    }
    lines.splice(2..2, recovery_lines(&recovery, console.screen.width));
    if !in_git {
        lines.insert(
            1,
            Line::of("        git records every change of heeler.toml: install it, then git init there"),
        );
    }
    console.answer(document, |_| lines)
}

/// Fails when the state folder belongs to a heeler.toml elsewhere. An empty second one would want none of
/// the existing nodes.
fn refuse_a_second(state: &StateFolder, folder: &Path) -> Result<()> {
    let noted = std::fs::read_to_string(state.config()).unwrap_or_default();
    let noted = Path::new(noted.trim());
    if noted.as_os_str().is_empty() || noted == folder || !noted.join(FILE).exists() {
        return Ok(());
    }
    Err(CliError::Usage(format!("{} already holds the coordinator for the heeler.toml in {}; nothing was created in {}", state.path().display(), noted.display(), folder.display())).next("To move it, move that folder, then: heeler init --config FOLDER\nFor another cluster: heeler init --state ANOTHER --cluster NAME FOLDER"))
}

/// Why an inventory is not read: it could only be mixed with what a person wrote, or replace it.
fn no_import(path: &Path, folder: &Path) -> CliError {
    CliError::Usage(format!(
        "--from-ansible: {} exists already, and heeler init overwrites nothing",
        path.display()
    ))
    .next(format!(
        "To go on with that file: heeler init {}\nTo add a node to it: heeler node add NAME --ssh USER@HOST",
        word(&folder.display().to_string())
    ))
}

fn first_text(args: &Init, cluster: &str, fleet: Option<&Fleet>) -> Result<String> {
    let addresses = addresses(args)?;
    let text = match fleet {
        Some(fleet) => fleet.toml(cluster, &addresses),
        None => template(cluster, &addresses),
    };
    parse_bytes(text.as_bytes()).map_err(CliError::Config)?;
    Ok(text)
}

/// Where the recovery key goes. Not in the state folder, which it must outlive, and not beside heeler.toml, which
/// goes into git.
fn recovery_file(
    args: &Init,
    cluster: &str,
    (state, folder): (&Path, &Path),
    context: &Context<'_>,
) -> Result<PathBuf> {
    if let Some(named) = check_recovery(args, (state, folder), context)? {
        return Ok(named);
    }
    let home = (context.around.variable)("HOME").map(PathBuf::from);
    let home = home.filter(|home| home.is_dir() && !home.starts_with(state) && !home.starts_with(folder));
    let beside = || state.parent().unwrap_or(state).to_owned();
    Ok(home
        .unwrap_or_else(beside)
        .join(format!("heeler-recovery-{cluster}.txt")))
}

/// Checks the file that `--recovery` names.
fn check_recovery(args: &Init, (state, folder): (&Path, &Path), context: &Context<'_>) -> Result<Option<PathBuf>> {
    let Some(named) = &args.recovery else { return Ok(None) };
    let named = context.around.folder.join(named);
    if backup::within(&named, state) || backup::within(&named, folder) {
        return Err(CliError::Usage(format!(
            "--recovery {}: keep the recovery key outside the state folder and outside git",
            named.display()
        )));
    }
    if !named.parent().is_some_and(Path::is_dir) {
        return Err(CliError::Usage(format!(
            "--recovery {}: there is no such folder",
            named.display()
        )));
    }
    Ok(Some(named))
}

fn recovery_lines(recovery: &RecoveryFile, width: usize) -> Vec<Line> {
    let (path, word) = match recovery {
        RecoveryFile::Known => return Vec::new(),
        RecoveryFile::Made(path) => (path, "made"),
        RecoveryFile::Again(path) => (path, "used again"),
    };
    let text = "Only this key opens the backups, and the copies on the nodes. Keep it on paper or in a password \
        manager (the line AGE-SECRET-KEY-1… is enough), and delete the file.";
    let more = screen::wrap(text, width.saturating_sub(8)).into_iter();
    std::iter::once(Line::of(format!("key     {} ({word})", path.display())))
        .chain(more.map(|line| Line::of(format!("        {line}"))))
        .collect()
}

fn name(args: &Init, fleet: Option<&Fleet>, console: &mut Console<'_>) -> Result<String> {
    let known = args.cluster.as_ref().or_else(|| fleet?.cluster.as_ref());
    let cluster = match known {
        Some(cluster) => cluster.clone(),
        None if console.person.is_there() => {
            let question = "Name of the cluster (lower-case letters, digits, hyphens; cannot be changed later):";
            console.person.ask(question).ok().flatten().unwrap_or_default()
        }
        None => {
            return Err(CliError::Usage(
                "the cluster needs a name: heeler init --cluster NAME".into(),
            ));
        }
    };
    if config::is_cluster_name(&cluster) {
        return Ok(cluster);
    }
    let message = format!(
        "{cluster:?} is not a valid cluster name: use lower-case letters, digits, and hyphens between them; at most 15"
    );
    Err(CliError::Usage(message))
}

/// Checks the operator's name, which is signed and becomes part of a path.
fn operator(name: &str) -> Result<OperatorName> {
    OperatorName::new(name).map_err(|_| {
        CliError::Usage(format!("{name:?} is not a valid operator name: use letters, digits and ._@-, and start with a letter or a digit; at most 64")).next("Give your name: heeler init --operator NAME")
    })
}

fn addresses(args: &Init) -> Result<Vec<SocketAddr>> {
    if args.address.is_empty() {
        let own = own_address().ok_or_else(|| {
            CliError::Usage("this machine has no address that nodes could reach: name it with --address IP".into())
        })?;
        return Ok(vec![own]);
    }
    let read = |text: &String| {
        let unfit = || {
            CliError::Usage(format!(
                "--address {text} is not an IP address: write IP or IP:{DEFAULT_PORT}, the coordinator's own"
            ))
        };
        config::address(text).ok_or_else(unfit)
    };
    args.address.iter().map(read).collect()
}

/// This machine's address on its route to others. Connecting a datagram socket sends nothing; it only selects the
/// route.
fn own_address() -> Option<SocketAddr> {
    // TEST-NET-1 (RFC 5737), which no host uses.
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then(|| SocketAddr::new(ip, DEFAULT_PORT))
}
