//! The process that owns a lab: its network namespace, its router, its machines. Everything that it started ends with
//! it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::accel::Accel;
use crate::control::{NodeAction, Reply, Request, SOCKET, Status};
use crate::keys::{self, Who};
use crate::machine::{self, Node};
use crate::power::Power;
use crate::run::{must, program};
use crate::seed::Seed;
use crate::{firmware, network};

/// Size of a node's first two disks, in bytes.
pub const DISK_BYTES: u64 = 2 << 30;

/// Everything that a request can use.
#[derive(Debug, Clone)]
struct Fleet {
    folder: PathBuf,
    image: PathBuf,
    powers: Vec<Power>,
}

/// Runs a lab in `folder` until a request ends it. Must be called in a new network namespace. Fails when the lab cannot
/// be built.
pub fn run(folder: &Path, image: &Path, count: usize) -> Result<()> {
    std::env::set_current_dir(folder)?;
    let nodes = Node::fleet(count);
    network::build(&nodes)?;
    let mut router = network::router(&nodes, folder)?;
    for node in &nodes {
        fs::create_dir_all(machine::folder(&node.name))?;
        if !machine::card(&node.name).exists() {
            flash(node, folder, image)?;
        }
        for serial in node.serials() {
            blank(&serial, DISK_BYTES)?;
        }
    }
    let Some(first) = nodes.first() else {
        bail!("a lab has at least one node")
    };
    let accel = Accel::of_this_machine(&firmware::power_on(
        &machine::card(&first.name),
        &machine::folder(&first.name),
    )?)?;
    eprintln!("guests run by {accel:?}");
    let powers = nodes.into_iter().map(|node| Power::new(node, accel)).collect();
    let fleet = Fleet {
        folder: folder.to_owned(),
        image: image.to_owned(),
        powers,
    };
    let (ended, end) = channel();
    // Left by a killed lab.
    let _ = fs::remove_file(SOCKET);
    let listener = UnixListener::bind(SOCKET).context("cannot listen on the control socket")?;
    let accepting = fleet.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (fleet, ended) = (accepting.clone(), ended.clone());
            thread::spawn(move || serve(&fleet, stream, &ended));
        }
    });
    end.recv()?;
    for power in &fleet.powers {
        power.cut()?;
    }
    router.kill()?;
    router.wait()?;
    fs::remove_file(SOCKET)?;
    Ok(())
}

fn serve(fleet: &Fleet, stream: UnixStream, ended: &Sender<()>) {
    let mut stream = BufReader::new(stream);
    let (mut holds, mut line) = (false, String::new());
    while matches!(stream.read_line(&mut line), Ok(1..)) {
        let reply = match serde_json::from_str::<Request>(&line) {
            Err(error) => Reply::Refused(format!("not a request: {error}")),
            Ok(Request::Hold) => {
                holds = true;
                Reply::Done
            }
            Ok(Request::Down) => {
                // The receiver is gone when the lab is already ending.
                let _ = ended.send(());
                Reply::Done
            }
            Ok(request) => fleet
                .carry_out(&request)
                .unwrap_or_else(|error| Reply::Refused(format!("{error:#}"))),
        };
        line.clear();
        let Ok(text) = serde_json::to_string(&reply) else { break };
        if writeln!(stream.get_mut(), "{text}").is_err() {
            break;
        }
    }
    if holds {
        let _ = ended.send(());
    }
}

impl Fleet {
    fn carry_out(&self, request: &Request) -> Result<Reply> {
        let Request::Node(name, action) = request else {
            let nodes = self.powers.iter().map(Power::status).collect();
            return Ok(Reply::Status(Status {
                supervisor: std::process::id(),
                nodes,
            }));
        };
        let power = self.power(name)?;
        match action {
            NodeAction::Start => power.start()?,
            NodeAction::Cut => power.cut()?,
            NodeAction::Reset => power.reset()?,
            NodeAction::Reflash if power.status().running => bail!("{name} is on; cut it first"),
            NodeAction::Reflash => flash(&power.node(), &self.folder, &self.image)?,
            NodeAction::Attach(serial, size_bytes) => {
                let owner = self
                    .powers
                    .iter()
                    .map(Power::status)
                    .find(|other| other.disks.contains(&Some(serial.clone())));
                if let Some(owner) = owner {
                    bail!("{serial} is in {}; take it out first", owner.name);
                }
                blank(serial, *size_bytes)?;
                power.attach(serial)?;
            }
            NodeAction::Detach(serial) => power.detach(serial)?,
            NodeAction::Card(network, port) => power.card(*network, *port)?,
            NodeAction::Link(network, up) => network::link(&power.node(), *network, *up)?,
        }
        Ok(Reply::Done)
    }

    fn power(&self, name: &str) -> Result<&Power> {
        self.powers
            .iter()
            .find(|power| power.node().name == name)
            .with_context(|| {
                let names: Vec<String> = self.powers.iter().map(|power| power.node().name).collect();
                format!("no node {name} in this lab; there are {}", names.join(", "))
            })
    }
}

/// Makes a fresh card with the person's settings, like Raspberry Pi Imager.
fn flash(node: &Node, folder: &Path, image: &Path) -> Result<()> {
    let card = machine::card(&node.name);
    must(
        program("cp", ["--reflink=auto", "--sparse=always"])
            .arg(image)
            .arg(&card),
    )?;
    let (key, lab_key) = (keys::public(folder, Who::Person)?, keys::public(folder, Who::Lab)?);
    let seed = Seed {
        name: &node.name,
        key: &key,
        lab_key: &lab_key,
    };
    firmware::write(&card, "user-data", &seed.user_data())?;
    firmware::write(&card, "meta-data", &seed.meta_data())?;
    firmware::write(&card, "network-config", &seed.network_config())
}

fn blank(serial: &str, size_bytes: u64) -> Result<()> {
    let path = machine::disk(serial);
    if !path.exists() {
        fs::create_dir_all("disks")?;
        File::create(&path)?
            .set_len(size_bytes)
            .with_context(|| format!("cannot make {}", path.display()))?;
    }
    Ok(())
}
