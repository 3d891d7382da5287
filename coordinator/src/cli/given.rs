//! What was typed is checked before anybody is asked, and before anything is begun, written or signed.

use std::path::Path;

use heeler_proto::v1::{NodeInfo, ShowNodeRequest};

use super::error::file;
use super::{CliError, Client};
use crate::known::{short, unknown};

/// None of them twice; `what` is how it was given: `--without`.
pub(super) fn once(what: &str, given: &[impl AsRef<str>]) -> Result<(), CliError> {
    let mut names: Vec<&str> = given.iter().map(AsRef::as_ref).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(CliError::Usage(format!("{what} {}: given twice", short(pair[0])))),
        None => Ok(()),
    }
}

/// It is one of `names`; `what` says that there is none, and `list` shows all.
pub(super) fn one_of<'n>(
    what: &str,
    given: &str,
    names: impl Iterator<Item = &'n str> + Clone,
    list: &str,
) -> Result<(), CliError> {
    match names.clone().any(|name| name == given) {
        true => Ok(()),
        false => Err(CliError::Other(unknown(what, given, names, list))),
    }
}

/// What the coordinator knows of a node.
pub(super) async fn node(client: &mut Client, name: &str) -> Result<NodeInfo, CliError> {
    let request = ShowNodeRequest { node: name.to_owned() };
    let shown = client.show_node(request).await?.into_inner();
    Ok(shown.node.unwrap_or_default())
}

/// Each names a node, and none is given twice.
pub(super) async fn nodes(client: &mut Client, what: &str, given: &[String]) -> Result<(), CliError> {
    once(what, given)?;
    for name in given {
        node(client, name).await?;
    }
    Ok(())
}

/// The file is there, and can be read.
pub(super) fn readable(path: &Path) -> Result<(), CliError> {
    let about = std::fs::File::open(path).and_then(|opened| opened.metadata());
    match about.map_err(file("read", path))?.is_dir() {
        true => Err(CliError::Other(format!(
            "could not read {}: it is a folder",
            path.display()
        ))),
        false => Ok(()),
    }
}

/// The words of `--confirm` are asked for, and none is given more often than it is asked for. Returns those that are still
/// to be typed.
pub(super) fn words<'a>(asked: impl IntoIterator<Item = &'a str>, given: &[String]) -> Result<Vec<bool>, CliError> {
    let mut left: Vec<&str> = given.iter().map(String::as_str).collect();
    let open = asked
        .into_iter()
        .map(|word| match left.iter().position(|given| *given == word) {
            Some(at) => {
                left.swap_remove(at);
                false
            }
            None => true,
        });
    let open = open.collect();
    match left.first() {
        Some(stray) => Err(CliError::Usage(format!(
            "--confirm {}: nothing here asks for it\nNothing was changed.",
            short(stray)
        ))),
        None => Ok(open),
    }
}
