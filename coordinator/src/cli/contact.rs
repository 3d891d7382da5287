//! `heeler node add`: first contact, and the node's lines in heeler.toml.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use heeler_proto::json::{AddedNode, NodeAdd};
use heeler_proto::v1::{Disk, DiskUse, Facts};
use heeler_proto::{NodeName, Serial};

use super::consent::Key;
use super::error::file;
use super::terminal::{Passwords, Terminal};
use super::{CliError, Console, Context, Exit, Names, Result, given};
use crate::config::{self, Config, FILE, NewNode, add_node};
use crate::contact::{Added, Check, ContactError, Target, add};
use crate::screen::{self, Line};

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Names of the nodes, as in heeler.toml and in Proxmox
    #[arg(required = true, value_name = "NAME", add = Names::Wanted.offer())]
    names: Vec<String>,
    /// User and address for ssh [default: the address in heeler.toml, else NAME as in your ssh config]
    #[arg(long, value_name = "USER@HOST")]
    ssh: Option<String>,
    /// Ask for each node's sudo password separately; without a terminal, stdin has one line for each NAME
    #[arg(short = 'K', long)]
    ask_password: bool,
    /// Skip this check; the guide's page on nodes explains each check
    #[arg(long, value_name = "CHECK")]
    skip_check: Vec<Check>,
    /// The node's SD card was flashed again: shows the old and the new host key, and asks
    #[arg(long)]
    reflashed: bool,
    /// Use this ssh configuration instead of your own
    #[arg(long, value_name = "FILE")]
    ssh_config: Option<PathBuf>,
    /// Folder with the agents (heeler-agent-aarch64, heeler-agent-x86_64)
    #[arg(long, value_name = "DIR")]
    agent_dir: Option<PathBuf>,
    /// Write the node's lines into heeler.toml without asking
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(args: Add, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let names = args
        .names
        .iter()
        .map(|name| NodeName::new(name))
        .collect::<Result<Vec<_>, _>>();
    let names = names.map_err(|invalid| CliError::Usage(invalid.to_string()))?;
    if names.len() > 1 && args.ssh.is_some() {
        return Err(CliError::Usage(
            "--ssh is for one node: name them one by one, or give their addresses in heeler.toml".into(),
        ));
    }
    given::once("node", &args.names)?;
    given::destination(args.ssh.as_deref())?;
    if let Some(path) = &args.ssh_config {
        given::readable(path)?;
    }
    if let Some(folder) = &args.agent_dir {
        std::fs::read_dir(folder).map_err(file("read", folder))?;
    }
    let mut client = context.client().await?;
    let (_, mut trust) = Key::with_trust(context, &mut client).await?;
    let folder = context.config();
    let config = std::fs::read(folder.join(FILE))
        .ok()
        .and_then(|bytes| config::parse_bytes(&bytes).ok());
    let mut passwords = Passwords::read(&names, args.ask_password, console)?;
    passwords.check(&names)?;
    let mut documents = Vec::new();
    let mut exit = Exit::Fine;
    for node in names {
        let one = Target {
            destination: args.ssh.clone().unwrap_or_else(|| destination(&node, config.as_ref())),
            node,
            ssh_config: args.ssh_config.clone(),
            reflashed: args.reflashed,
            skip: args.skip_check.clone(),
            agent_dir: args.agent_dir.clone(),
            state: context.state(),
        };
        let added = add(
            &mut client,
            &one,
            &mut trust,
            context.clock,
            &mut Terminal {
                console,
                passwords: &mut passwords,
            },
        )
        .await;
        match added {
            Ok(added) => {
                report(&one.node, &added, console)?;
                documents.push(document(&one.node, &added));
                // The node is added even if its lines could not be written, and the other nodes must not need another run.
                if !console.json
                    && let Err(error) = offer(&one.node, &added, args.yes, &folder, console)
                {
                    exit = Exit::Error;
                    failed(&error.text(), console);
                }
            }
            Err(error) => {
                if matches!(error, ContactError::WrongPassword { .. }) {
                    passwords.forget();
                }
                exit = Exit::Error;
                let told = with_causes(&error);
                documents.push(AddedNode {
                    node: one.node.to_string(),
                    error: Some(told.clone()),
                    ..AddedNode::default()
                });
                failed(&told, console);
            }
        }
    }
    if console.json {
        console.document(NodeAdd { nodes: documents })?;
    }
    Ok(exit)
}

fn failed(text: &str, console: &mut Console) {
    let lines = text.lines().flat_map(|line| screen::wrap(line, 78));
    console.aside(&lines.map(Line::of).collect::<Vec<_>>());
}

pub(super) fn destination(node: &NodeName, config: Option<&Config>) -> String {
    let known = config.and_then(|config| {
        let known = config.nodes.iter().find(|known| known.name.value == *node)?;
        let user = known.defaults.user.as_ref().or(config.defaults.user.as_ref());
        Some(user.map_or_else(
            || known.address.value.to_string(),
            |user| format!("{}@{}", user.value, known.address.value),
        ))
    });
    known.unwrap_or_else(|| node.to_string())
}

pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn document(node: &NodeName, added: &Added) -> AddedNode {
    AddedNode {
        node: node.to_string(),
        changed: added.changed.iter().map(|&path| path.to_owned()).collect(),
        facts: added.facts.clone(),
        error: None,
    }
}

fn report(node: &NodeName, added: &Added, console: &mut Console<'_>) -> Result<()> {
    if console.json {
        return Ok(());
    }
    if added.changed.is_empty() {
        console.say(format!("{node}: all was correct, nothing changed"))?;
    }
    match &added.facts {
        Some(facts) => console.show(&screen::facts(facts)),
        None => Ok(()),
    }
}

/// Shows the lines that heeler.toml lacks, and writes them if the person agrees. Does not commit them.
fn offer(node: &NodeName, added: &Added, yes: bool, folder: &Path, console: &mut Console<'_>) -> Result<()> {
    let path = folder.join(FILE);
    let Ok(before) = std::fs::read_to_string(&path) else {
        return Ok(());
    };
    let Some(new) = added.facts.as_ref().and_then(|facts| lines_for(node, facts, &before)) else {
        return Ok(());
    };
    let after = add_node(&before, &new).map_err(|error| CliError::Other(with_causes(&error)))?;
    if after == before {
        return Ok(());
    }
    console.say(format!("These lines are missing in {}:", path.display()))?;
    console.show(&screen::diff(&before, &after, 2, 40))?;
    if new.disks.is_empty() {
        console.say("No two disks look blank, so the lines name no disks: see heeler disk list.")?;
    }
    let agreed = yes || {
        let answer = if console.person.is_there() {
            console.person.ask("Write these lines? [Y/n]").ok().flatten()
        } else {
            None
        };
        answer.is_some_and(|answer| matches!(answer.to_lowercase().as_str(), "" | "y" | "yes"))
    };
    if agreed {
        super::place::write_whole(&path, &after)?;
        console.say(format!("Written, not committed. Next: heeler plan {node}"))
    } else {
        console.say(format!(
            "Not written. To write them: --yes; or edit {} yourself.",
            path.display()
        ))
    }
}

/// The lines for heeler.toml from the facts; None when the node has no usable IPv4 address.
fn lines_for(node: &NodeName, facts: &Facts, text: &str) -> Option<NewNode> {
    let subnet = config::parse(text).ok().map(|config| config.network.subnet);
    let addresses: Vec<IpAddr> = facts
        .nics
        .iter()
        .flat_map(|nic| &nic.addresses)
        .filter_map(|address| address.split('/').next()?.parse().ok())
        .filter(|address: &IpAddr| address.is_ipv4() && !address.is_loopback())
        .collect();
    let within = |address: &&IpAddr| {
        subnet
            .as_ref()
            .and_then(Option::as_ref)
            .is_some_and(|subnet| subnet.value.contains(**address))
    };
    let address = addresses.iter().find(within).or_else(|| addresses.first())?;
    let size = facts.memory_bytes.div_ceil(1 << 30);
    Some(NewNode {
        name: node.clone(),
        address: *address,
        disks: mirror(facts),
        backplane: card(facts, text, *address),
        note: format!("{}, {size} GiB", facts.model),
    })
}

/// MAC of the backplane card, when only one card can be it, and its address: the LAN address's host part in the
/// backplane's network.
fn card(facts: &Facts, text: &str, address: IpAddr) -> Option<(IpAddr, String)> {
    let network = config::parse(text).ok()?.network.backplane?.value;
    let (IpAddr::V4(address), IpAddr::V4(base)) = (address, network.address) else {
        return None;
    };
    let host = u32::from(address) & u32::MAX.checked_shr(u32::from(network.prefix)).unwrap_or(0);
    let own = IpAddr::from((u32::from(base) | host).to_be_bytes());
    let mut cards = facts.nics.iter().filter(|nic| nic.refusal.is_empty());
    match (cards.next(), cards.next()) {
        (Some(card), None) => Some((own, card.mac.clone())),
        _ => None,
    }
}

/// The pool's legs, or two disks that look blank. Empty when a person must choose.
fn mirror(facts: &Facts) -> Vec<Serial> {
    let serials = |wanted: &dyn Fn(&Disk) -> bool| -> Vec<Serial> {
        facts
            .disks
            .iter()
            .filter(|disk| wanted(disk))
            .filter_map(|disk| Serial::new(&disk.serial).ok())
            .collect()
    };
    let guids: BTreeSet<&str> = facts
        .disks
        .iter()
        .map(|disk| disk.pool_guid.as_str())
        .filter(|guid| !guid.is_empty())
        .collect();
    let legs = match guids.first() {
        Some(guid) if guids.len() == 1 => serials(&|disk| disk.pool_guid == *guid),
        Some(_) => Vec::new(),
        None => serials(&|disk| disk.r#use() == DiskUse::Blank && disk.transport == "nvme"),
    };
    if legs.len() == 2 { legs } else { Vec::new() }
}
