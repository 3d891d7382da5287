//! apt, as version 3.0 of Debian 13 answers: see `fixtures/apt-3.0.4`.

mod install;
mod order;
mod policy;
mod update;

use super::Gone;
use crate::Output;
use crate::apt::{LISTS, PARTS, Source, parse_source};
use crate::sim::state::State;

pub(super) fn run(state: &mut State, program: &str, args: &[&str]) -> Result<Option<Output>, Gone> {
    Ok(match (program, args) {
        ("apt-get", ["-q", options @ .., "update"]) => {
            assert!(
                options.contains(&"APT::Update::Error-Mode=any"),
                "without it apt-get exits with 0 after a failure"
            );
            Some(update::run(state)?)
        }
        ("apt-get", args) => install::run(state, args)?,
        ("apt-cache", ["policy", names @ ..]) => Some(super::printed(policy::print(state, names))),
        _ => None,
    })
}

/// The sources that apt uses.
fn sources(state: &State) -> Vec<Source> {
    let files = state.os.files.all().filter(|(path, _)| path.starts_with(PARTS));
    let all = files.flat_map(|(path, bytes)| parse_source(&path.to_string_lossy(), &String::from_utf8_lossy(bytes)));
    all.filter(|source| source.enabled).collect()
}

/// The path of the list of a component, as text `NAME VERSION SOURCE` on each line here.
fn list(uri: &str, suite: &str, component: &str) -> String {
    format!(
        "{LISTS}/{}{component}_binary-arm64_Packages",
        crate::apt::begin(uri, suite)
    )
}
