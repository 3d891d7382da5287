use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::error::file;
use super::{CliError, Result};
use crate::config::FILE;

/// Looks up an environment variable; None when it is missing or empty.
pub type Variables = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The parts of the process's environment that commands use; tests replace them.
pub struct Surroundings {
    /// Environment variables.
    pub variable: Box<Variables>,
    /// The current folder.
    pub folder: PathBuf,
    /// Whether the effective user is root.
    pub root: bool,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_this_process() -> Self {
        Self {
            variable: Box::new(|name| std::env::var(name).ok().filter(|value| !value.is_empty())),
            folder: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            root: nix::unistd::geteuid().is_root(),
        }
    }

    /// The state folder: `named` (--state), else $HEELER_STATE, else /var/lib/heeler for root, else `heeler` in
    /// $XDG_STATE_HOME or ~/.local/state.
    pub fn state(&self, named: Option<&Path>) -> PathBuf {
        let variable = |name: &str| (self.variable)(name).map(PathBuf::from);
        if let Some(named) = named {
            return self.folder.join(named);
        }
        if let Some(state) = variable("HEELER_STATE") {
            return self.folder.join(state);
        }
        if self.root {
            return "/var/lib/heeler".into();
        }
        let home = || variable("HOME").unwrap_or_default().join(".local/state");
        variable("XDG_STATE_HOME").unwrap_or_else(home).join("heeler")
    }

    /// The folder of heeler.toml: `named` (--config), else $HEELER_CONFIG, else the current folder if it has one,
    /// else the folder that `init` noted in the state folder.
    pub fn config(&self, named: Option<&Path>, state: &Path) -> PathBuf {
        if let Some(named) = named {
            return self.folder.join(named);
        }
        if let Some(config) = (self.variable)("HEELER_CONFIG") {
            return self.folder.join(config);
        }
        if self.folder.join(FILE).is_file() {
            return self.folder.clone();
        }
        let noted = std::fs::read_to_string(state.join("config")).ok();
        noted.map_or_else(|| self.folder.clone(), |line| PathBuf::from(line.trim()))
    }

    /// The login name, which selects the operator whose key signs.
    pub fn login(&self) -> String {
        let variable = |name: &str| (self.variable)(name);
        let on_record = || {
            nix::unistd::User::from_uid(nix::unistd::Uid::effective())
                .ok()
                .flatten()
        };
        variable("USER")
            .or_else(|| variable("LOGNAME"))
            .or_else(|| on_record().map(|user| user.name))
            .unwrap_or_else(|| "operator".into())
    }
}

/// Largest heeler.toml, in bytes: enough for thousands of nodes.
const LARGEST_BYTES: u64 = 1 << 20;

/// Reads the bytes of heeler.toml.
pub(super) fn read_config(folder: &Path) -> Result<Vec<u8>> {
    let path = folder.join(FILE);
    let about = match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(CliError::NoConfig(folder.to_owned()));
        }
        about => about.map_err(file("read", path.clone()))?,
    };
    if !about.is_file() || about.len() > LARGEST_BYTES {
        return Err(CliError::Other(format!(
            "could not read {}: it must be a file of at most {} KiB",
            path.display(),
            LARGEST_BYTES >> 10
        )));
    }
    std::fs::read(&path).map_err(file("read", path))
}

/// Replaces a file completely or not at all, because the old content may be a person's work. Keeps its mode, and
/// follows a link.
pub(super) fn write_whole(path: &Path, text: &str) -> Result<()> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mode = std::fs::metadata(&real).map(|about| about.permissions().mode()).ok();
    heeler_os::replace(&real, text.as_bytes(), mode).map_err(file("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(variables: &'static [(&str, &str)], folder: &Path, root: bool) -> Surroundings {
        let find = |name: &str| {
            variables
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Surroundings {
            variable: Box::new(find),
            folder: folder.to_owned(),
            root,
        }
    }

    #[test]
    fn the_state_folder_follows_option_variable_home() {
        let here = Path::new("/here");
        let state = |variables, root, named: Option<&str>| around(variables, here, root).state(named.map(Path::new));
        assert_eq!(state(&[("HEELER_STATE", "/s")], true, Some("x")), Path::new("/here/x"));
        assert_eq!(state(&[("HEELER_STATE", "/s")], true, None), Path::new("/s"));
        assert_eq!(state(&[("HOME", "/root")], true, None), Path::new("/var/lib/heeler"));
        assert_eq!(
            state(&[("HOME", "/h")], false, None),
            Path::new("/h/.local/state/heeler")
        );
        assert_eq!(
            state(&[("HOME", "/h"), ("XDG_STATE_HOME", "/x")], false, None),
            Path::new("/x/heeler")
        );
    }

    #[test]
    fn the_config_folder_is_this_one_or_the_noted_one() {
        let folder = tempfile::tempdir().unwrap();
        let (here, state) = (folder.path().join("here"), folder.path().join("state"));
        std::fs::create_dir_all(&here).unwrap();
        std::fs::create_dir_all(&state).unwrap();
        assert_eq!(around(&[], &here, false).config(None, &state), here);
        std::fs::write(state.join("config"), "/noted\n").unwrap();
        assert_eq!(around(&[], &here, false).config(None, &state), Path::new("/noted"));
        std::fs::write(here.join(FILE), "").unwrap();
        assert_eq!(around(&[], &here, false).config(None, &state), here);
        assert_eq!(
            around(&[("HEELER_CONFIG", "/v")], &here, false).config(None, &state),
            Path::new("/v")
        );
        assert_eq!(
            around(&[("HEELER_CONFIG", "/v")], &here, false).config(Some(Path::new("n")), &state),
            here.join("n")
        );
    }

    #[test]
    fn a_rewritten_file_keeps_mode_and_link() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("real.toml"), "a person's work").unwrap();
        std::fs::set_permissions(at("real.toml"), std::fs::Permissions::from_mode(0o640)).unwrap();
        // A hard link to the old content shows whether that was overwritten in place.
        std::fs::hard_link(at("real.toml"), at("old.toml")).unwrap();
        symlink(at("real.toml"), at("heeler.toml")).unwrap();
        write_whole(&at("heeler.toml"), "new").unwrap();
        assert_eq!(std::fs::read_to_string(at("old.toml")).unwrap(), "a person's work");
        assert_eq!(std::fs::read_to_string(at("real.toml")).unwrap(), "new");
        assert!(at("heeler.toml").is_symlink());
        let rights = std::fs::metadata(at("real.toml")).unwrap().permissions();
        assert_eq!(rights.mode() & 0o777, 0o640);
        write_whole(&at("first.toml"), "new").unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
    }
}
