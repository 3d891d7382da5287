use std::error::Error;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use heeler_coordinator::cli::{self, CliError, Client, Console, Exit, Session, Surroundings};
use heeler_coordinator::clock::SystemClock;
use heeler_coordinator::config::{DEFAULT_PORT, FILE, NewNode, add_node};
use heeler_coordinator::serve::{Coordinator, ServeError, ServeOptions};
use heeler_coordinator::state::StateFolder;
use heeler_coordinator::{Ink, Line, wrap};
use heeler_proto::v1::StatusRequest;
use heeler_proto::{NodeName, Serial};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::Demo;
use super::fleet::Fleet;
use super::typist::Typist;

const PATIENCE: Duration = Duration::from_secs(20);

/// A temporary folder, the coordinator that serves in it, and the screen that shows the commands.
pub struct Stage<'a, 'c> {
    folder: TempDir,
    demo: &'a Demo,
    console: &'a mut Console<'c>,
    shutdown: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<Result<(), ServeError>>>,
}

/// `.map_err(failed("make the node's key"))`
pub fn failed<E: Error>(what: &'static str) -> impl FnOnce(E) -> CliError {
    move |error| CliError::Other(format!("could not {what}: {error}"))
}

impl<'a, 'c> Stage<'a, 'c> {
    /// Runs `heeler init` and starts a coordinator on free ports of 127.0.0.1.
    pub async fn set(demo: &'a Demo, console: &'a mut Console<'c>) -> Result<Self, CliError> {
        let folder = tempfile::Builder::new().prefix("heeler-demo-").tempdir();
        let folder = folder.map_err(failed("make a folder"))?;
        let mut stage = Self {
            folder,
            demo,
            console,
            shutdown: None,
            serving: None,
        };
        stage.say(
            "A coordinator and three simulated machines run in this one process. The commands and their output \
            are real.",
        )?;
        stage.run("init --cluster k8sctl --address 127.0.0.1").await?;
        let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let options = ServeOptions {
            state: StateFolder::new(stage.state()),
            agents: any,
            enrolment: any,
            operators: None,
            addresses: Vec::new(),
            history_bytes: heeler_coordinator::HISTORY_BYTES,
        };
        let coordinator = Coordinator::bind(options, Arc::new(SystemClock)).await;
        let coordinator = coordinator.map_err(failed("start the coordinator"))?;
        let port = coordinator.agents_address().port();
        stage.edit(|text| Ok(text.replace(&DEFAULT_PORT.to_string(), &port.to_string())))?;
        let (shutdown, ended) = oneshot::channel::<()>();
        stage.shutdown = Some(shutdown);
        stage.serving = Some(tokio::spawn(coordinator.run(async { drop(ended.await) })));
        Ok(stage)
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    fn edit(&self, edit: impl FnOnce(String) -> Result<String, CliError>) -> Result<(), CliError> {
        let path = self.config().join(FILE);
        let text = std::fs::read_to_string(&path).map_err(failed("read heeler.toml"))?;
        std::fs::write(&path, edit(text)?).map_err(failed("write heeler.toml"))
    }

    /// Adds the fleet to heeler.toml, as `heeler node add` does.
    pub fn write_config(&self, fleet: &Fleet) -> Result<(), CliError> {
        self.edit(|text| {
            let network = "[network]\nsubnet = \"10.10.80.0/24\"\nbackplane = \"10.10.99.0/24\"\n";
            let mut text = text.replace("# [network]\n# subnet = \"10.10.80.0/24\"\n", network);
            for node in &fleet.nodes {
                let serials = node.serials.iter().map(|serial| Serial::new(serial));
                let new = NewNode {
                    name: NodeName::new(node.name).map_err(failed("name a node"))?,
                    address: node.address.parse().map_err(failed("give a node its address"))?,
                    disks: serials.collect::<Result<_, _>>().map_err(failed("name a disk"))?,
                    backplane: Some((
                        node.backplane.parse().map_err(failed("give a card its address"))?,
                        node.card.to_owned(),
                    )),
                    note: String::new(),
                };
                text = add_node(&text, &new).map_err(failed("add a node"))?;
            }
            Ok(text)
        })
    }

    /// Shows an explanation to the reader.
    pub fn say(&mut self, text: &str) -> Result<(), CliError> {
        let lines = wrap(text, self.console.screen.width).into_iter();
        let lines: Vec<Line> = lines.map(|line| Line::new().ink(Ink::Amber, line)).collect();
        self.show(&[vec![Line::new()], lines].concat())
    }

    fn show(&mut self, lines: &[Line]) -> Result<(), CliError> {
        let text = self.console.screen.show(lines);
        let written = self
            .console
            .out
            .write_all(text.as_bytes())
            .and_then(|()| self.console.out.flush());
        written.map_err(failed("write to stdout"))
    }

    /// Shows a command and runs it with the same code as at a terminal.
    pub async fn run(&mut self, line: &str) -> Result<(), CliError> {
        self.show(&[Line::new(), Line::new().ink(Ink::Bold, format!("$ heeler {line}"))])?;
        let screen = self.console.screen;
        let color = if screen.color { "always" } else { "never" };
        let width = screen.width.to_string();
        let state = self.state().to_string_lossy().into_owned();
        let config = self.config().to_string_lossy().into_owned();
        let everywhere = [
            "--color", color, "--width", &width, "--state", &state, "--config", &config,
        ];
        let words = ["heeler"]
            .into_iter()
            .chain(line.split(' '))
            .chain(everywhere)
            .map(OsString::from);
        let around = self.around();
        let session = Session {
            out: &mut *self.console.out,
            err: &mut *self.console.err,
            person: &mut Typist,
            around,
            clock: &SystemClock,
            zone: self.console.zone.clone(),
            live: self.console.live,
            demonstration: self.demo,
        };
        match cli::run(words, session).await {
            Exit::Fine => Ok(()),
            Exit::Stopped => Err(CliError::Other("the demonstration was stopped".into())),
            other => Err(CliError::Other(format!("heeler {line} ended with {}", other as u8))),
        }
    }

    /// An environment whose home is the demonstration's folder: the commands neither touch the reader's files nor
    /// call another coordinator.
    fn around(&self) -> Surroundings {
        let home = self.folder.path().to_string_lossy().into_owned();
        let Surroundings { variable, root, .. } = Surroundings::of_this_process();
        let own = move |name: &str| match name {
            "HOME" => Some(home.clone()),
            "USER" => Some("operator".to_owned()),
            name if name.starts_with("HEELER_") || name.starts_with("XDG_") => None,
            name => variable(name),
        };
        Surroundings {
            variable: Box::new(own),
            folder: self.config(),
            root,
        }
    }

    pub async fn client(&self) -> Result<Client, CliError> {
        cli::connect(&self.state()).await
    }

    /// Waits until `ready` counts every machine of the fleet.
    pub async fn wait(
        &self,
        fleet: &Fleet,
        ready: impl AsyncFn(&mut Client) -> Result<usize, CliError>,
    ) -> Result<(), CliError> {
        let mut client = self.client().await?;
        let waiting = async {
            while ready(&mut client).await? < fleet.nodes.len() {
                sleep(Duration::from_millis(100)).await;
            }
            Ok(())
        };
        if let Ok(ready) = timeout(PATIENCE, waiting).await {
            return ready;
        }
        let status = client.status(StatusRequest {}).await?.into_inner();
        let first = status.alerts.first();
        let why = first.map_or(status.summary.clone(), |alert| {
            format!("{}: {}", alert.node, alert.text)
        });
        Err(CliError::Other(format!(
            "the fleet of the demo did not reach the expected state: {why}"
        )))
    }

    /// Leaves the fleet running for the reader, until Ctrl-C.
    pub async fn stay(&mut self) -> Result<(), CliError> {
        let state = self.state().display().to_string();
        let program = std::env::current_exe().map_err(failed("find this program"))?;
        let folder = program.parent().unwrap_or(&program).display().to_string();
        self.say("The fleet stays up until Ctrl-C. In another terminal:")?;
        self.show(&[
            Line::new(),
            Line::of(format!("export HEELER_STATE={state}")),
            Line::of(format!("export PATH=\"{folder}:$PATH\"")),
            Line::of("heeler status -w"),
            Line::of("heeler plan"),
            Line::of("heeler disk list"),
            Line::of("heeler events --follow"),
        ])?;
        tokio::signal::ctrl_c().await.map_err(failed("wait for Ctrl-C"))
    }

    /// Stops the coordinator. Dropping the stage removes the folder.
    pub async fn strike(mut self) -> Result<(), CliError> {
        drop(self.shutdown.take());
        match self.serving.take() {
            Some(serving) => {
                let ended = serving.await.map_err(failed("end the coordinator"))?;
                ended.map_err(failed("end the coordinator"))
            }
            None => Ok(()),
        }
    }
}
