//! Runs a program in a process group of its own, which is killed at the time limit or when the caller drops the
//! future.

use std::io::{self, ErrorKind};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin};

use crate::{Command, Output, RunError, Stdin};

/// The environment of each program, besides its own variables.
pub const ENVIRONMENT: [(&str, &str); 3] = [("LC_ALL", "C.UTF-8"), ("LANG", "C.UTF-8"), ("PATH", PATH)];

/// The folders that are searched for programs, in order.
pub const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// The most bytes of stdout or stderr; more is an error.
const MOST_BYTES: u64 = 16 << 20;

/// The most bytes of a line of a followed program; the rest of the line is dropped.
const LONGEST_LINE: usize = 1024;

/// How long the program's children may keep its output open after its end.
const GRACE: Duration = Duration::from_secs(1);

/// Runs the program to its end. An exit code other than 0 is not an error. Fails when it is not installed, does not end
/// in time, or prints more than 16 MiB.
pub async fn run(command: &Command) -> Result<Output, RunError> {
    finish(command, start(command, &mut fixed(command))?).await
}

/// Waits for the end of the program, at most for its time limit, and for its output.
pub(crate) async fn finish(command: &Command, mut program: Program) -> Result<Output, RunError> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let ended = tokio::time::timeout(
        command.timeout,
        talk(&mut program.child, &command.stdin, &mut stdout, &mut stderr),
    )
    .await;
    let status = match ended {
        Ok(Ok(status)) => status,
        Ok(Err(source)) => {
            return Err(RunError::Start {
                command: command.to_string(),
                source,
            });
        }
        Err(_) => {
            return Err(RunError::timeout(command));
        }
    };
    program.group.0 = None;
    if [&stdout, &stderr].iter().any(|bytes| bytes.len() as u64 > MOST_BYTES) {
        return Err(RunError::unreadable(command, "more than 16 MiB of output"));
    }
    Ok(Output {
        code: code(status),
        stdout: text(stdout),
        stderr: text(stderr),
    })
}

/// Calls `line` for each line of the output, cut to 1 KiB, until the program ends. Returns its exit code. Fails when it
/// is not installed or cannot be started.
pub async fn follow(command: &Command, line: &(dyn for<'l> Fn(&'l str) + Sync)) -> Result<i32, RunError> {
    let mut program = start(command, &mut fixed(command))?;
    // Closed, because nothing reads it: a full pipe would block the program.
    program.child.stderr = None;
    let (mut said, mut part) = (Vec::new(), [0; 512]);
    if let Some(mut out) = program.child.stdout.take() {
        while let Ok(count @ 1..) = out.read(&mut part).await {
            for piece in part[..count].split_inclusive(|byte| *byte == b'\n') {
                let room = LONGEST_LINE.saturating_sub(said.len());
                said.extend_from_slice(&piece[..piece.len().min(room)]);
                if piece.ends_with(b"\n") {
                    line(String::from_utf8_lossy(&said).trim_end());
                    said.clear();
                }
            }
        }
    }
    let status = program.child.wait().await.map_err(|source| RunError::Start {
        command: command.to_string(),
        source,
    })?;
    program.group.0 = None;
    Ok(code(status))
}

/// Copies only invalid UTF-8: lists of snapshots are long.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

pub(crate) struct Program {
    /// Dropped before the child, while the child's process id cannot be reused.
    group: Group,
    pub(crate) child: Child,
}

/// The process group of a program and its children, if it has one of its own; killed on drop unless it has ended.
struct Group(Option<i32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.0 {
            // Fails when the group is gone already.
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where programs are run")]
pub(crate) fn process(command: &Command) -> tokio::process::Command {
    let mut process = tokio::process::Command::new(command.program);
    process
        .args(&command.args)
        .stdin(match command.stdin {
            Stdin::Null => Stdio::null(),
            Stdin::Secret(_) => Stdio::piped(),
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    process
}

/// With the fixed environment; [`start`] then starts it in a process group of its own.
pub(crate) fn fixed(command: &Command) -> tokio::process::Command {
    let mut process = process(command);
    process
        .env_clear()
        .envs(ENVIRONMENT)
        .envs(command.environment.iter().copied())
        .current_dir("/")
        .process_group(0);
    process
}

/// Starts what [`fixed`] made.
pub(crate) fn start(command: &Command, process: &mut tokio::process::Command) -> Result<Program, RunError> {
    let child = spawn(command, process)?;
    let group = Group(child.id().and_then(|id| i32::try_from(id).ok()));
    Ok(Program { group, child })
}

/// Starts what [`process`] made, in the process group of this process.
pub(crate) fn start_among_ours(command: &Command, process: &mut tokio::process::Command) -> Result<Program, RunError> {
    let group = Group(None);
    spawn(command, process).map(|child| Program { group, child })
}

fn spawn(command: &Command, process: &mut tokio::process::Command) -> Result<Child, RunError> {
    process.spawn().map_err(|source| match source.kind() {
        ErrorKind::NotFound => RunError::Missing {
            program: command.program,
        },
        _ => RunError::Start {
            command: command.to_string(),
            source,
        },
    })
}

async fn talk(child: &mut Child, stdin: &Stdin, stdout: &mut Vec<u8>, stderr: &mut Vec<u8>) -> io::Result<ExitStatus> {
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let output = async { tokio::join!(feed(pipes.0, stdin), drain(pipes.1, stdout), drain(pipes.2, stderr)) };
    tokio::pin!(output);
    tokio::select! {
        _ = &mut output => child.wait().await,
        status = child.wait() => {
            // The program itself has ended: only its children can still write, and they get no longer than this.
            let _ = tokio::time::timeout(GRACE, output).await;
            status
        }
    }
}

async fn feed(pipe: Option<ChildStdin>, stdin: &Stdin) {
    if let (Some(mut pipe), Stdin::Secret(secret)) = (pipe, stdin) {
        // A program that does not read its whole input reports that by its exit code.
        let _ = pipe.write_all(secret.reveal()).await;
    }
}

/// Reads one byte more than the limit, to detect that there is more, then closes the pipe.
async fn drain(pipe: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    if let Some(pipe) = pipe {
        let _ = pipe.take(MOST_BYTES + 1).read_to_end(into).await;
    }
}

fn code(status: ExitStatus) -> i32 {
    match (status.code(), status.signal()) {
        (Some(code), _) => code,
        (None, signal) => 128 + signal.unwrap_or(0),
    }
}
