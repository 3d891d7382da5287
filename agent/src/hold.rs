//! A pause that a person on the node set: no new task is accepted. A file stores it, which is read when a task
//! arrives.

use std::io;
use std::path::Path;

use heeler_host::{File, System, content};
use serde::{Deserialize, Serialize};

/// Path of the file.
pub const PATH: &str = "/var/lib/heeler-agent/paused";

/// A pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The reason, for other people; may be empty.
    pub reason: String,
    /// Start, Unix milliseconds.
    pub since_ms: u64,
    /// End, Unix milliseconds; 0: until `heeler-agent resume`.
    pub until_ms: u64,
}

impl Hold {
    /// Whether it is in force at this time, Unix milliseconds.
    pub fn holds(&self, now_ms: u64) -> bool {
        self.until_ms == 0 || now_ms < self.until_ms
    }

    /// Why an assignment is refused, with the command to type.
    pub fn refusal(&self) -> String {
        let why = match self.reason.as_str() {
            "" => String::new(),
            reason => format!(" ({reason})"),
        };
        format!("somebody on the node has paused it{why}. On the node: sudo heeler-agent resume")
    }
}

/// The pause in force. A file that cannot be parsed counts as a pause, because a person wanted one. Fails when the file
/// exists and cannot be read.
pub async fn read(host: &dyn System, now_ms: u64) -> io::Result<Option<Hold>> {
    let Some(bytes) = content(host, Path::new(PATH)).await? else {
        return Ok(None);
    };
    let hold = serde_json::from_slice(&bytes).unwrap_or_else(|_| Hold {
        reason: format!("{PATH} is not readable"),
        since_ms: 0,
        until_ms: 0,
    });
    Ok(Some(hold).filter(|hold| hold.holds(now_ms)))
}

/// Sets a pause; replaces an earlier one. Fails when the file cannot be written.
pub async fn set(host: &dyn System, hold: &Hold) -> io::Result<()> {
    let file = File::private(PATH, serde_json::to_vec(hold)?);
    host.write(&file).await
}

/// Ends the pause. Fails when the file cannot be removed.
pub async fn lift(host: &dyn System) -> io::Result<()> {
    host.remove(Path::new(PATH)).await
}

#[cfg(test)]
mod tests {
    use heeler_host::sim::Machine;

    use super::*;

    #[tokio::test]
    async fn a_pause_ends_by_time_or_by_resume() {
        let machine = Machine::builder("a").build();
        let hold = |until_ms| Hold {
            reason: "new fan".into(),
            since_ms: 1,
            until_ms,
        };
        assert_eq!(read(&machine, 5).await.unwrap(), None);
        set(&machine, &hold(10)).await.unwrap();
        assert_eq!(read(&machine, 9).await.unwrap(), Some(hold(10)));
        assert_eq!(read(&machine, 10).await.unwrap(), None);
        set(&machine, &hold(0)).await.unwrap();
        assert_eq!(read(&machine, u64::MAX).await.unwrap(), Some(hold(0)));
        lift(&machine).await.unwrap();
        lift(&machine).await.unwrap();
        assert_eq!(read(&machine, 5).await.unwrap(), None);
    }

    #[tokio::test]
    async fn an_unreadable_pause_still_pauses() {
        let machine = Machine::builder("a").build();
        let file = File::private(PATH, b"until tomorrow\n".to_vec());
        machine.write(&file).await.unwrap();
        assert!(read(&machine, 5).await.unwrap().is_some());
    }
}
