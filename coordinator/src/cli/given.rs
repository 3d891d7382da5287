//! Checks arguments before any question is asked and before anything is changed or signed.

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

use heeler_proto::v1::{NodeInfo, ShowNodeRequest};

use super::error::file;
use super::{CliError, Client, Result};
use crate::known::{short, unknown};

/// Parses a whole number from `least` to `most`, for an option.
pub(super) fn number<N>(least: N, most: N) -> impl Fn(&str) -> Result<N, String> + Clone
where
    N: FromStr + PartialOrd + Display + Copy,
{
    move |text| match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("write a number from {least} to {most}")),
    }
}

/// Fails when a value is given twice; `what` is the option: `--without`.
pub(super) fn once(what: &str, given: &[impl AsRef<str>]) -> Result<()> {
    let mut names: Vec<&str> = given.iter().map(AsRef::as_ref).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(CliError::Usage(format!("{what} {}: given twice", short(pair[0])))),
        None => Ok(()),
    }
}

/// Fails unless `given` is one of `names`. `what` is the error's first line, `list` the command that shows all names.
pub(super) fn one_of<'n>(
    what: &str,
    given: &str,
    names: impl Iterator<Item = &'n str> + Clone,
    list: &str,
) -> Result<()> {
    match names.clone().any(|name| name == given) {
        true => Ok(()),
        false => Err(unknown(what, given, names, list).into()),
    }
}

/// Looks a node up; fails when the coordinator does not know it.
pub(super) async fn node(client: &mut Client, name: &str) -> Result<NodeInfo> {
    let request = ShowNodeRequest { node: name.to_owned() };
    let shown = client.show_node(request).await?.into_inner();
    Ok(shown.node.unwrap_or_default())
}

/// Fails unless each value is a known node, and none is given twice.
pub(super) async fn nodes(client: &mut Client, what: &str, given: &[String]) -> Result<()> {
    once(what, given)?;
    for name in given {
        node(client, name).await?;
    }
    Ok(())
}

/// Fails unless the file exists and can be read.
pub(super) fn readable(path: &Path) -> Result<()> {
    let about = std::fs::File::open(path).and_then(|opened| opened.metadata());
    match about.map_err(file("read", path))?.is_dir() {
        true => Err(CliError::Other(format!(
            "could not read {}: it is a folder",
            path.display()
        ))),
        false => Ok(()),
    }
}

/// Fails when `--ssh` has a port, which ssh does not take there. An IPv6 address has more than one colon.
pub(super) fn destination(given: Option<&str>) -> Result<()> {
    let host = given.unwrap_or_default().rsplit('@').next().unwrap_or_default();
    match host.split_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(CliError::Usage(format!(
                "--ssh takes no port, and {} has one",
                short(given.unwrap_or_default())
            ))
            .next(format!(
                "Write Port {} into your ssh config under Host NAME, with HostName {}; then: --ssh NAME",
                short(port),
                short(host)
            )))
        }
        _ => Ok(()),
    }
}

/// Matches the words of `--confirm` with those that are asked for. Returns, for each word asked for, whether it must
/// still be typed. Fails when a given word is not asked for.
pub(super) fn words<'a>(asked: impl IntoIterator<Item = &'a str>, given: &[String]) -> Result<Vec<bool>> {
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
        Some(stray) => Err(
            CliError::Usage(format!("--confirm {}: nothing here asks for it", short(stray)))
                .next("Nothing was changed."),
        ),
        None => Ok(open),
    }
}
