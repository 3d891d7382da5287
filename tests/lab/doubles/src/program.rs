//! Runs other programs of the machine, as the real programs do.

use crate::call::Call;

/// What a program printed, and its exit code.
pub struct Ran {
    /// 127 when the program is missing.
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs a program of this machine to its end.
#[expect(
    clippy::disallowed_methods,
    reason = "a double calls the machine's own programs as the real program does"
)]
pub fn run(call: &Call, program: &str, arguments: &[&str]) -> Ran {
    let mut command = std::process::Command::new(program);
    command.args(arguments).stdin(std::process::Stdio::null());
    if call.has_other_root() {
        command.env("HEELER_DOUBLES_ROOT", call.place("/"));
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match command.output() {
        Ok(ran) => Ran {
            code: ran.status.code().unwrap_or(-1),
            out: text(&ran.stdout),
            err: text(&ran.stderr),
        },
        Err(e) => Ran {
            code: 127,
            out: String::new(),
            err: format!("{program}: {e}\n"),
        },
    }
}
