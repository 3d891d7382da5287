//! Shell completion of names. They come from the coordinator that the typed options name. When that fails or takes
//! too long, nothing is offered and no error is shown.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::CommandFactory as _;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};
use clap_complete::{Shell, env};
use heeler_proto::v1::{
    ListDisksRequest, ListNodesRequest, ListOperatorsRequest, ListSecretsRequest, ListTasksRequest,
};

use super::args::{Color, Global, Heeler};
use super::{Client, Context, Result, Surroundings, client, remote};
use crate::clock::SystemClock;
use crate::config::{FILE, parse_bytes};

/// The registered script sets this variable to the name of the shell.
const VARIABLE: &str = "HEELER_COMPLETE";
/// Longest wait after TAB.
const PATIENCE: Duration = Duration::from_millis(900);
/// Newest tasks offered.
const TASKS: u32 = 20;

/// The kind of name to complete.
#[derive(Debug, Clone, Copy)]
pub(super) enum Names {
    Nodes,
    /// Nodes of heeler.toml.
    Wanted,
    Disks,
    Operators,
    Secrets,
    Tasks,
}

impl Names {
    /// Offers the names of this kind.
    pub(super) fn offer(self) -> ArgValueCandidates {
        ArgValueCandidates::new(move || {
            // On its own thread: this may run inside a runtime, which must not block.
            let asked = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .ok()?;
                let found = runtime.block_on(async { tokio::time::timeout(PATIENCE, found(self)).await });
                runtime.shutdown_background();
                found.ok()?.ok()
            });
            let found = asked.join().ok().flatten().unwrap_or_default();
            found
                .into_iter()
                .filter(|name| is_plain(name))
                .map(CompletionCandidate::new)
                .collect()
        })
    }
}

/// Whether a shell takes the name literally. It is inserted unquoted, and may come from a hostile coordinator.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._@:/+-".contains(c);
    !name.is_empty() && !name.starts_with('-') && name.chars().all(plain)
}

/// When the shell started the program for completion, answers it and exits. Call it before any thread starts: it
/// changes the environment.
pub fn answer() {
    CompleteEnv::with_factory(Heeler::command).var(VARIABLE).complete();
}

pub(super) fn script(shell: Shell) -> Result<String> {
    let mut script = Vec::new();
    let name = shell.to_string();
    if let Some(completer) = Shells::builtins().completer(&name) {
        let written =
            env::EnvCompleter::write_registration(completer, VARIABLE, "heeler", "heeler", "heeler", &mut script);
        written.map_err(super::error::file("write", "the script"))?;
    }
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Zsh {
        // zsh loads the file as the completion function at the first TAB, so that first call must also answer.
        script
            .push_str("if [ \"$funcstack[1]\" = \"_heeler\" ]; then\n    _clap_dynamic_completer_heeler \"$@\"\nfi\n");
    }
    Ok(script)
}

async fn found(names: Names) -> Result<Vec<String>> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let around = Surroundings::of_this_process();
    let context = Context {
        around: &around,
        global: global(&words),
        clock: &SystemClock,
    };
    if matches!(names, Names::Wanted) {
        return Ok(wanted(&context));
    }
    let mut client = connected(&context).await?;
    Ok(match names {
        Names::Nodes | Names::Wanted => {
            let nodes = client.list_nodes(ListNodesRequest {}).await?.into_inner().nodes;
            nodes.into_iter().map(|node| node.node).collect()
        }
        Names::Disks => {
            let request = ListDisksRequest::default();
            let disks = client.list_disks(request).await?.into_inner().disks;
            disks.into_iter().filter_map(|disk| Some(disk.disk?.serial)).collect()
        }
        Names::Operators => {
            let known = client.list_operators(ListOperatorsRequest {}).await?.into_inner();
            let active = known.operators.into_iter().filter(|known| known.revoked_at_ms == 0);
            active.map(|known| known.name).collect()
        }
        Names::Secrets => {
            let secrets = client.list_secrets(ListSecretsRequest {}).await?.into_inner().secrets;
            secrets.into_iter().map(|secret| secret.name).collect()
        }
        Names::Tasks => {
            let request = ListTasksRequest { limit: TASKS };
            let tasks = client.list_tasks(request).await?.into_inner().tasks;
            tasks.into_iter().map(|task| task.task_id).collect()
        }
    })
}

fn wanted(context: &Context<'_>) -> Vec<String> {
    let config = std::fs::read(context.config().join(FILE)).ok();
    let config = config.and_then(|bytes| parse_bytes(&bytes).ok());
    let nodes = config.into_iter().flat_map(|config| config.nodes);
    nodes.map(|node| node.name.value.to_string()).collect()
}

/// As [`Context::client`], but without renewing a certificate.
async fn connected(context: &Context<'_>) -> Result<Client> {
    let state = context.state();
    match context.elsewhere() {
        Some(address) => remote::reach(&remote::Credentials::find(&state, &context.around.login())?, &address).await,
        None => client::connect(&state).await,
    }
}

/// Reads the global options from a command line that may be incomplete.
fn global(words: &[OsString]) -> Global {
    let after = |option: &str| {
        let mut words = words.iter().map(|word| word.to_string_lossy());
        let mut found = None;
        while let Some(word) = words.next() {
            if word == option {
                found = words.next().map(std::borrow::Cow::into_owned);
            } else if let Some(value) = word.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) {
                found = Some(value.to_owned());
            }
        }
        found.filter(|value| !value.is_empty())
    };
    Global {
        state: after("--state").map(PathBuf::from),
        coordinator: after("--coordinator"),
        config: after("--config").map(PathBuf::from),
        json: false,
        color: Color::Auto,
        width: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_before_tab_say_where_the_coordinator_is() {
        let words = [
            "heeler",
            "--",
            "heeler",
            "--state",
            "/s",
            "node",
            "--coordinator=h:1",
            "pause",
            "",
        ];
        let read = global(&words.map(OsString::from));
        assert_eq!(read.state, Some(PathBuf::from("/s")));
        assert_eq!((read.coordinator.as_deref(), read.config), (Some("h:1"), None));
    }

    #[test]
    fn no_offered_name_is_shell_text() {
        for plain in ["k8sctl-pi5l", "S6XNNS0W100001", "a/data@daily-1", "me"] {
            assert!(is_plain(plain), "{plain}");
        }
        for odd in [
            "",
            "--yes",
            "$(id)",
            "`id`",
            "a;b",
            "a b",
            "a\u{202e}b",
            "~root",
            "a*",
            "a'b",
        ] {
            assert!(!is_plain(odd), "{odd}");
        }
    }
}
