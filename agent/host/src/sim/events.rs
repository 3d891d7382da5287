use tokio::sync::watch;

use super::state::State;
use crate::{Command, RunError, zpool};

impl State {
    /// Adds a kernel event of this class.
    pub(super) fn post(&self, class: &str) {
        let line = format!("Nov 30 2026 01:02:03.123456789\t{class}");
        self.events.send_modify(|events| events.push(line));
    }

    /// The lines that `zpool events -H -f` prints from now on, or its immediate end.
    pub(super) fn follow(&mut self, command: &Command) -> Result<watch::Receiver<Vec<String>>, Result<i32, RunError>> {
        assert_eq!(
            *command,
            zpool::events_command(),
            "the simulated machine cannot follow this"
        );
        if self.os.missing.contains(command.program) {
            let program = command.program;
            return Err(Err(RunError::Missing { program }));
        }
        if let Some(fault) = self.take_fault(&command.to_string()) {
            return Err(fault.strike(command).0.map(|output| output.code));
        }
        match self.load_zfs() {
            true => Ok(self.events.subscribe()),
            false => Err(Ok(1)),
        }
    }
}
