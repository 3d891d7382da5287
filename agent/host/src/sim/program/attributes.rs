use std::path::{Path, PathBuf};

use super::{complained, printed};
use crate::Output;
use crate::sim::state::State;

/// `chattr +i|-i FOLDER` and `lsattr -d FOLDER`, for folders of the root file system; datasets have no such
/// attributes.
pub(super) fn run(state: &mut State, program: &str, args: &[&str]) -> Option<Output> {
    let (verb, path) = match args {
        [verb, path] => (*verb, Path::new(*path)),
        _ => return None,
    };
    let shown = path.display();
    if state.list(path).is_err() {
        return Some(complained(
            1,
            format!("{program}: No such file or directory while trying to stat {shown}\n"),
        ));
    }
    if state.dataset_at(path).is_some() {
        let verb = if program == "chattr" { "setting" } else { "reading" };
        return Some(complained(
            1,
            format!("{program}: Operation not supported While {verb} flags on {shown}\n"),
        ));
    }
    match (program, verb) {
        ("lsattr", "-d") => {
            let flag = if state.os.immutable.contains(path) { 'i' } else { '-' };
            Some(printed(format!("----{flag}---------e------- {shown}\n")))
        }
        ("chattr", "+i") => {
            state.os.immutable.insert(PathBuf::from(path));
            Some(printed(""))
        }
        ("chattr", "-i") => {
            state.os.immutable.remove(path);
            Some(printed(""))
        }
        _ => None,
    }
}
