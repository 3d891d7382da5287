//! `heeler init --recover`: restores the coordinator from a copy on a node.

use std::path::{Path, PathBuf};

use clap::Args;
use heeler_proto::NodeName;

use super::backup::KeyArgs;
use super::contact::{destination, with_causes};
use super::error::{failed, file};
use super::restore::{RestoreFrom, restore_state, target};
use super::terminal::{Passwords, Terminal};
use super::{CliError, Console, Context, Exit, Names, Result, given};
use crate::backup::{BackupError, verify};
use crate::config::{FILE, parse_bytes};
use crate::contact::{Copy, Keeper, keeper};
use crate::screen::{self, Line};

#[derive(Debug, Args)]
pub(super) struct Recover {
    /// Recover a lost coordinator from the newest complete copy on a node
    #[arg(long, requires = "from")]
    recover: bool,
    /// The node that holds the copies
    #[arg(long, value_name = "NODE", requires = "recover", add = Names::Wanted.offer())]
    from: Option<String>,
    /// User and address for ssh [default: the address in heeler.toml, else NODE as in your ssh config]
    #[arg(long, value_name = "USER@HOST", requires = "recover")]
    ssh: Option<String>,
    /// Use this ssh configuration instead of your own
    #[arg(long, value_name = "FILE", requires = "recover")]
    ssh_config: Option<PathBuf>,
    /// Ask for the sudo password; without a terminal it is the first line of stdin
    #[arg(short = 'K', long, requires = "recover")]
    ask_password: bool,
    /// Replace the existing coordinator; its state is kept in a folder beside it
    #[arg(long, requires = "recover")]
    replace: bool,
    #[command(flatten)]
    key: KeyArgs,
}

impl Recover {
    /// Whether `--recover` was given.
    pub(super) fn is_requested(&self) -> bool {
        self.recover
    }
}

pub(super) async fn run(
    args: &Recover,
    folder: &Path,
    context: &Context<'_>,
    console: &mut Console<'_>,
) -> Result<Exit> {
    let from = args.from.as_deref().unwrap_or_default();
    let node = NodeName::new(from).map_err(|invalid| CliError::Usage(invalid.to_string()))?;
    let known = std::fs::read(folder.join(FILE)).ok();
    let config = known.and_then(|bytes| parse_bytes(&bytes).ok());
    target(Some(folder.to_owned()), args.replace, context)?;
    given::destination(args.ssh.as_deref())?;
    if let Some(path) = &args.ssh_config {
        given::readable(path)?;
    }
    args.key.check()?;
    let to = args.ssh.clone().unwrap_or_else(|| destination(&node, config.as_ref()));
    let mut passwords = Passwords::read(std::slice::from_ref(&node), args.ask_password, console)?;
    let (opener, recovery) = args.key.read(console)?;
    let ssh = keeper(&node, &to, args.ssh_config.clone());
    let contact = |error| CliError::Other(with_causes(&error));
    let mut person = Terminal {
        console,
        passwords: &mut passwords,
    };
    let mut keeper = Keeper::open(&ssh, &mut person).await.map_err(contact)?;
    let now_ms = context.clock.now_ms();
    let copies = keeper.copies(now_ms).await.map_err(contact)?;
    show(&node, &copies, now_ms, console);
    let scratch = tempfile::tempdir().map_err(file("make", "a temporary folder"))?;
    let mut good = None;
    for copy in &copies {
        let file = scratch.path().join(&copy.name);
        let whole = match keeper.fetch(copy, &file).await {
            Ok(()) => verify(&file, opener.again(), recovery.as_ref(), &scratch.path().join("opened"))
                .await
                .map_err(|error| failed(error).to_string()),
            Err(error) => Err(with_causes(&error)),
        };
        match whole {
            Ok(_) => {
                good = Some(file);
                break;
            }
            Err(why) => console.aside(&wrapped(
                &format!("{}: not used: {why}", copy.name),
                console.screen.width,
            )),
        }
    }
    keeper.close().await;
    let Some(archive) = good else {
        return Err(failed(BackupError::Damaged(format!(
            "{node} holds no usable copy. Try another node, or start without a copy: heeler init, then heeler node \
             add for each node"
        ))));
    };
    let how = RestoreFrom {
        archive: &archive,
        key: (opener, recovery),
        folder: Some(folder.to_owned()),
        replace: args.replace,
    };
    restore_state(how, context, console).await
}

fn show(node: &NodeName, copies: &[Copy], now_ms: u64, console: &mut Console<'_>) {
    let mut lines = vec![Line::of(format!("{node} holds {} copies", copies.len()))];
    for copy in copies {
        let age = screen::ago(copy.at_ms, now_ms);
        let at = screen::date(copy.at_ms, &console.zone);
        lines.push(Line::of(format!("  {at}  {age} ago  {} bytes", copy.bytes)));
    }
    console.aside(&lines);
}

fn wrapped(text: &str, width: usize) -> Vec<Line> {
    screen::wrap(text, width).into_iter().map(Line::of).collect()
}
