use std::path::Path;

use clap::CommandFactory as _;

use super::args::Heeler;
use super::error::file;
use super::{Exit, Result};

/// Writes one manual page for each command, from its help text: heeler.1, heeler-node-add.1, and so on.
pub(super) fn write(folder: &Path) -> Result<Exit> {
    std::fs::create_dir_all(folder).map_err(file("make", folder))?;
    clap_mangen::generate_to(Heeler::command(), folder).map_err(file("write into", folder))?;
    Ok(Exit::Fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        let page = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(page("heeler.1").contains("heeler\\-node"), "{}", page("heeler.1"));
        assert!(page("heeler-node-add.1").contains("Install the agent on a fresh Pi"));
        assert!(page("heeler.1").contains("Exit codes"));
    }
}
