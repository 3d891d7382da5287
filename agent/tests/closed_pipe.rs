//! The program whose reader goes away, as in `heeler-agent status | head -1`.

use std::process::{Command, Stdio};

#[test]
fn a_closed_pipe_does_not_end_a_command() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    #[expect(clippy::disallowed_methods, reason = "the program itself is under test")]
    let ended = Command::new(env!("CARGO_BIN_EXE_heeler-agent"))
        .arg("help")
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
}
