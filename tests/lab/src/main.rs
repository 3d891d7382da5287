//! `cargo xtask lab`: virtual Raspberry Pis on this machine.

use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};

use anyhow::Result;
use clap::{Parser, Subcommand};
use heeler_lab::fleet::Binaries;
use heeler_lab::machine::{NAMES, Network};
use heeler_lab::{Lab, ansible, cases, demo, image, lab, programs, record, supervisor};

/// Virtual Raspberry Pis with real ZFS, systemd and sshd, in a network of their own.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask lab", bin_name = "cargo xtask lab")]
struct Arguments {
    /// Where the lab keeps cards, disks, keys and logs [default: target/lab].
    #[arg(long, global = true)]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Boot nodes and leave them running.
    Up {
        /// How many, from one to three.
        #[arg(short = 'n', long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=3))]
        nodes: u8,
    },
    /// Make the node image, when the cache has none of the present recipe.
    Image,
    /// Who is there and what runs.
    Status,
    /// A shell on a node, or one command there, as the person.
    Ssh {
        /// Node name: lower-case letters, digits and inner hyphens, at most 63.
        node: String,
        /// What to run.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Run a program of this machine inside the lab's network.
    Exec {
        /// The program and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<String>,
    },
    /// Switch a node on.
    Start { node: String },
    /// Pull a node's plug.
    Cut { node: String },
    /// Press a node's reset button.
    Reset { node: String },
    /// Put a fresh card into a node that is off.
    Reflash { node: String },
    /// Pull a disk out of a running node.
    PullDisk { node: String, serial: String },
    /// Put a disk into a node.
    AddDisk { node: String, serial: String },
    /// Write rubbish over 1 MiB in the middle of a disk, behind the node's back.
    Corrupt { node: String, serial: String },
    /// Pull a node's network cable (plug it again with --heal).
    Partition {
        node: String,
        #[arg(default_value = "lan")]
        network: Network,
        /// Plug it again.
        #[arg(long)]
        heal: bool,
    },
    /// Boot the fresh nodes that the cases need and try the faults on them; needs no lab of yours.
    Test {
        /// Only cases whose name contains one of these [default: the usual ones, which CI runs].
        filter: Vec<String>,
        /// Also the cases that take long, and those that need a quiet machine.
        #[arg(long)]
        all: bool,
        /// No case whose name contains one of these.
        #[arg(long, value_name = "WORD")]
        skip: Vec<String>,
        /// Print names and costs (in seconds, on a quiet machine) alone.
        #[arg(long)]
        list: bool,
    },
    /// Record what the real programs print, for the agent's parsers. Erases the first node's disks.
    Record {
        /// Only scripts whose name contains this.
        #[arg(default_value = "")]
        filter: String,
        /// Where to [default: agent/host/fixtures].
        #[arg(long)]
        into: Option<PathBuf>,
    },
    /// The whole main job on three fresh nodes, from first SSH to green.
    Demo {
        /// End the lab afterwards.
        #[arg(long)]
        once: bool,
    },
    /// Measure Heeler beside Ansible on one fresh node.
    BenchAnsible,
    /// End the lab; cards and disks stay for the next `up` (--wipe removes them).
    Down {
        /// Remove cards and disks too.
        #[arg(long)]
        wipe: bool,
    },
    #[command(hide = true)]
    Supervise {
        #[arg(long)]
        nodes: u8,
        image: PathBuf,
    },
}

fn main() -> ExitCode {
    act(Arguments::parse()).unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::FAILURE
    })
}

fn act(arguments: Arguments) -> Result<ExitCode> {
    let folder = arguments.folder.unwrap_or_else(lab::usual_folder);
    let lab = || Lab::connect(&folder);
    match arguments.action {
        Action::Up { nodes } => up(&Lab::create(&folder, nodes.into(), false)?)?,
        Action::Image => {
            programs::ensure()?;
            println!("{}", image::ensure()?.display());
        }
        Action::Status => status(&lab()?)?,
        Action::Ssh { node, command } => {
            return Ok(code(lab()?.command("ssh", [node].iter().chain(&command)).status()?));
        }
        Action::Exec { command } => return Ok(code(lab()?.command(&command[0], &command[1..]).status()?)),
        Action::Start { node } => lab()?.node(&node)?.start()?,
        Action::Cut { node } => lab()?.node(&node)?.cut()?,
        Action::Reset { node } => lab()?.node(&node)?.reset()?,
        Action::Reflash { node } => lab()?.node(&node)?.reflash()?,
        Action::PullDisk { node, serial } => lab()?.node(&node)?.remove_disk(&serial)?,
        Action::AddDisk { node, serial } => lab()?.node(&node)?.add_disk(&serial)?,
        Action::Corrupt { node, serial } => {
            let disk = lab()?.node(&node)?.disk(&serial);
            disk.write_random(disk.size_bytes()? / 2, 1 << 20)?;
        }
        Action::Partition { node, network, heal } => lab()?.node(&node)?.link(network, heal)?,
        Action::Test {
            filter,
            all,
            skip,
            list,
        } => {
            let choice = cases::Choice {
                named: filter,
                skip,
                all,
            };
            if list {
                choice
                    .cases()
                    .for_each(|(name, seconds)| println!("{seconds:4}  {name}"));
            } else if !cases::run(&folder.join("test"), &choice)? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Action::Record { filter, into } => {
            record::run(&lab()?, &into.unwrap_or_else(record::usual_folder), &filter)?;
        }
        Action::Demo { once } => demonstrate(&folder.join("demo"), once)?,
        Action::BenchAnsible => {
            let folder = folder.join("ansible");
            let binaries = Binaries::build()?;
            if folder.exists() {
                std::fs::remove_dir_all(&folder)?;
            }
            ansible::run(&Lab::create(&folder, 1, true)?, &binaries)?;
        }
        Action::Down { wipe } => down(&lab()?, wipe)?,
        Action::Supervise { nodes, image } => supervisor::run(&folder, &image, nodes.into())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn code(status: ExitStatus) -> ExitCode {
    status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

fn up(lab: &Lab) -> Result<()> {
    println!("booting; the first boot of three nodes takes about two minutes without KVM");
    lab.boot(|_| true)?;
    status(lab)?;
    println!("\nNext: cargo xtask lab ssh {}", NAMES[0]);
    Ok(())
}

fn demonstrate(folder: &Path, once: bool) -> Result<()> {
    let binaries = Binaries::build()?;
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let lab = Lab::create(folder, NAMES.len(), once)?;
    demo::run(&lab, &binaries, !once)?;
    if !once {
        println!(
            "\nThe nodes stay up: cargo xtask lab --folder {} ssh {}",
            lab.folder().display(),
            NAMES[0]
        );
    }
    Ok(())
}

fn status(lab: &Lab) -> Result<()> {
    for node in lab.status()?.nodes {
        let disks: Vec<&str> = node.disks.iter().map(|disk| disk.as_deref().unwrap_or("-")).collect();
        let power = if node.running { "on" } else { "off" };
        println!("{:<12} {:<12} {power:<4} {}", node.name, node.address, disks.join(" "));
    }
    Ok(())
}

fn down(lab: &Lab, wipe: bool) -> Result<()> {
    lab.down()?;
    if wipe {
        std::fs::remove_dir_all(lab.folder())?;
    }
    Ok(())
}
