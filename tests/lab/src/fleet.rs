//! Heeler in a lab: this clone's binaries, a coordinator in the lab's network, and its command line.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::lab::{Lab, usual_folder};
use crate::machine::NAMES;
use crate::run::{Finished, must, program};
use crate::seed::PASSWORD;

const TO_SERVE: Duration = Duration::from_secs(60);

/// A coordinator in a lab.
#[derive(Debug)]
pub struct Fleet<'a> {
    lab: &'a Lab,
    heeler: PathBuf,
    folder: PathBuf,
    serve: Option<Child>,
}

/// The built programs: `heeler`, and a folder with the agent.
#[derive(Debug, Clone)]
pub struct Binaries {
    heeler: PathBuf,
    agents: PathBuf,
}

impl Binaries {
    /// Builds them. Strips the agent, which is sent over SSH into an emulated machine. Fails when the build fails.
    pub fn build() -> Result<Self> {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        must(program(&cargo, ["build", "--quiet", "-p", "heeler", "-p", "heeler-agent"]).stdin(Stdio::null()))?;
        let target = usual_folder().with_file_name("debug");
        let target = fs::canonicalize(&target).with_context(|| format!("no {}", target.display()))?;
        let agents = target.join("lab-agents");
        fs::create_dir_all(&agents)?;
        let stripped = agents.join(format!("heeler-agent-{}", std::env::consts::ARCH));
        must(program("strip", ["-o"]).arg(stripped).arg(target.join("heeler-agent")))?;
        Ok(Self {
            heeler: target.join("heeler"),
            agents,
        })
    }
}

impl<'a> Fleet<'a> {
    /// Runs `heeler init` in a fresh folder, and `heeler serve`. Parallel fleets need different names. Fails when
    /// either fails.
    pub fn begin(lab: &'a Lab, binaries: &Binaries, name: &str) -> Result<Self> {
        let folder = lab.folder().join("fleets").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let mut fleet = Self {
            lab,
            heeler: binaries.heeler.clone(),
            folder,
            serve: None,
        };
        let agents = fleet.folder.join("agents");
        std::os::unix::fs::symlink(&binaries.agents, agents)?;
        let config = fleet.config().display().to_string();
        let place = NAMES.iter().position(|node| *node == name).unwrap_or_default();
        let address = format!("10.10.80.1:{}", 7443 + 10 * place);
        let key = fleet.recovery_key().display().to_string();
        fleet.must(&[
            "init",
            "--cluster",
            "k8sctl",
            "--address",
            &address,
            "--recovery",
            &key,
            &config,
        ])?;
        fleet.serve()?;
        Ok(fleet)
    }

    /// Starts the coordinator and waits until it answers. Fails when it does not answer.
    pub fn serve(&mut self) -> Result<()> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("serve.log"))?;
        let mut command = self.command(&["serve"]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let until = Instant::now() + TO_SERVE;
        while self.run(&["status", "--json"])?.code == 4 {
            if child.try_wait()?.is_some() || Instant::now() > until {
                let _ = child.kill();
                let log = fs::read_to_string(self.folder.join("serve.log"))?;
                bail!("heeler serve does not answer: {log}");
            }
            thread::sleep(Duration::from_millis(100));
        }
        self.serve = Some(child);
        Ok(())
    }

    /// Kills the coordinator, as a power cut does. Fails when none runs.
    pub fn kill_coordinator(&mut self) -> Result<()> {
        let mut child = self.serve.take().context("no coordinator runs")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// The lab.
    pub fn lab(&self) -> &'a Lab {
        self.lab
    }

    /// Path of the recovery key that `init` wrote.
    pub fn recovery_key(&self) -> PathBuf {
        self.folder.join("recovery.txt")
    }

    /// Path of heeler.toml.
    pub fn config(&self) -> PathBuf {
        self.folder.join("config")
    }

    /// A command line of `heeler`, not started yet.
    pub fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.lab.command(&self.heeler.display().to_string(), args);
        command
            .env("HEELER_STATE", self.folder.join("state"))
            .env("HEELER_CONFIG", self.config());
        command
            .env_remove("SSH_AUTH_SOCK")
            .env("NO_COLOR", "1")
            .current_dir(&self.folder);
        command
    }

    /// Runs `heeler` with an empty stdin. Fails when it cannot be started; a failing command is a result.
    pub fn run(&self, args: &[&str]) -> Result<Finished> {
        crate::run::finish(self.command(args).stdin(Stdio::null()))
    }

    /// Starts `heeler` with an empty stdin and its output in a log. Fails when it cannot be started.
    pub fn start(&self, args: &[&str]) -> Result<Child> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("background.log"))?;
        let mut command = self.command(args);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(command.spawn()?)
    }

    /// Runs `heeler` and returns its stdout. Fails when its exit code is not 0.
    pub fn must(&self, args: &[&str]) -> Result<String> {
        self.run(args)?
            .success()
            .with_context(|| format!("heeler {}", args.join(" ")))
    }

    /// Runs `heeler --json` and returns the document. Fails when its exit code is not in `codes`, or its output is not
    /// JSON.
    pub fn json(&self, args: &[&str], codes: &[i32]) -> Result<Value> {
        let args = [args, &["--json"]].concat();
        let done = self.run(&args)?;
        ensure!(
            codes.contains(&done.code),
            "heeler {} ended with {}: {}",
            args.join(" "),
            done.code,
            done.stderr
        );
        serde_json::from_str(&done.stdout).with_context(|| format!("heeler {} printed {}", args.join(" "), done.stdout))
    }

    /// Runs `heeler node add` with a sudo password on stdin. Fails when it cannot be started.
    pub fn add(&self, node: &str, password: &str, more: &[&str]) -> Result<Finished> {
        let mut child = self.start_add(node, more)?;
        child
            .stdin
            .take()
            .context("no stdin")?
            .write_all(format!("{password}\n").as_bytes())?;
        Ok(child.wait_with_output()?.into())
    }

    /// Starts the same and returns it while it runs. Fails when it cannot be started.
    pub fn start_add(&self, node: &str, more: &[&str]) -> Result<Child> {
        let agents = self.folder.join("agents").display().to_string();
        let args = [
            &[
                "node",
                "add",
                node,
                "-K",
                "--yes",
                "--width",
                "200",
                "--agent-dir",
                &agents,
            ],
            more,
        ]
        .concat();
        let mut command = self.command(&args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Ok(command.spawn()?)
    }

    /// Adds the node unless it is connected. Its lines are in heeler.toml afterwards. Fails when it cannot be added.
    pub fn have(&self, node: &str) -> Result<()> {
        let shown = self.run(&["node", "show", node, "--json"])?;
        let connected =
            serde_json::from_str::<Value>(&shown.stdout).is_ok_and(|shown| shown["node"]["connected"] == true);
        let named = || fs::read_to_string(self.config().join("heeler.toml")).is_ok_and(|text| names_disks(&text, node));
        if shown.ok() && connected && named() {
            return Ok(());
        }
        let added = self
            .add(node, PASSWORD, &[])?
            .success()
            .with_context(|| format!("node add {node}"))?;
        // Without disks, every plan of the node would be empty.
        if !named() {
            println!("    heeler.toml names no disks of {node} after node add: {added}");
        }
        Ok(())
    }

    /// Waits until the agent of `node` has a session. Fails when it has none within five minutes.
    pub fn wait_connected(&self, node: &str) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(300);
        loop {
            let shown = self.run(&["node", "show", node, "--json"])?;
            if serde_json::from_str::<Value>(&shown.stdout).is_ok_and(|shown| shown["node"]["connected"] == true) {
                return Ok(());
            }
            if Instant::now() > until {
                bail!("{node} does not come back: {}", shown.stdout);
            }
            thread::sleep(Duration::from_millis(500));
        }
    }

    /// The plan for one node, as text. Fails when the plan fails.
    pub fn plan(&self, node: &str) -> Result<String> {
        self.must(&["plan", node, "--width", "200"])
    }

    /// Applies to one node, and confirms what the plan asks for. Fails when it is blocked or fails.
    pub fn apply(&self, node: &str) -> Result<String> {
        let plan = self.plan(node)?;
        let confirm: &[&str] = if plan.contains("IRREVERSIBLE") || plan.contains("TO CONFIRM") {
            &["--confirm", node]
        } else {
            &[]
        };
        self.must(&[&["apply", "--yes", node], confirm].concat())
    }

    /// Replaces a text in heeler.toml. Fails when the text is not there.
    pub fn edit(&self, from: &str, to: &str) -> Result<()> {
        let path = self.config().join("heeler.toml");
        let text = fs::read_to_string(&path)?;
        ensure!(text.contains(from), "heeler.toml has no {from:?}:\n{text}");
        Ok(fs::write(path, text.replace(from, to))?)
    }

    /// Leaves the coordinator running after this value is dropped.
    pub fn leave(mut self) {
        self.serve = None;
    }

    /// Folder of this fleet.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Fleet<'_> {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.kill_coordinator();
    }
}

/// Whether heeler.toml names disks for the node.
fn names_disks(text: &str, node: &str) -> bool {
    let mut lines = text
        .lines()
        .skip_while(|line| *line != format!("[nodes.{node}]"))
        .skip(1);
    lines
        .by_ref()
        .take_while(|line| !line.starts_with('['))
        .any(|line| line.starts_with("disks"))
}
