//! Switches that tests set from outside, as files in `/etc/doubles`; the README lists them. They are no variables of the
//! environment, because the programs that call a double may clear it.

use serde_json::Value;

use crate::call::{Call, Fault};

impl Call {
    /// The text of a switch, none when it is not set.
    pub fn switch(&self, name: &str) -> Option<String> {
        self.read(&format!("/etc/doubles/{name}"))
            .map(|text| text.trim().to_owned())
    }

    /// The words of a switch that is set for this program: its text names programs, or none for all of them.
    fn switch_of(&self, name: &str, program: &str) -> Option<Vec<String>> {
        let text = self.switch(name)?;
        let (programs, others): (Vec<&str>, Vec<&str>) =
            text.split_whitespace().partition(|word| crate::is_double(word));
        let counts = programs.is_empty() || programs.contains(&program);
        counts.then(|| others.into_iter().map(str::to_owned).collect())
    }

    /// Waits as the real program does, if the switch `delays` is set.
    pub fn wait(&self, seconds: u64) {
        if self.switch("delays").is_some() {
            pause(seconds);
        }
    }

    /// `slow`: waits so many seconds before the work.
    pub fn be_slow(&self, program: &str) {
        let words = self.switch_of("slow", program).unwrap_or_default();
        pause(words.first().and_then(|seconds| seconds.parse().ok()).unwrap_or(0));
    }

    /// `fails-PROGRAM`: does nothing but fail with this text.
    pub fn fail_if_asked(&self, program: &str) -> Result<(), Fault> {
        let text = self.switch(&format!("fails-{program}"));
        text.map_or(Ok(()), |text| Err(Fault::died(text)))
    }

    /// `exit-zero`: a failure has its text, but no exit code.
    pub fn exit_code(&self, program: &str, code: u8) -> u8 {
        if self.switch_of("exit-zero", program).is_some() {
            0
        } else {
            code
        }
    }

    /// Whether nobody may write below `/etc/pve`: without quorum, or with the switch `read-only`.
    pub fn is_read_only(&self) -> bool {
        let quorate = self.members().pointer("/cluster/quorate").and_then(Value::as_u64);
        quorate == Some(0) || self.switch("read-only").is_some()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a double waits where the real program waits, if asked to"
)]
pub fn pause(seconds: u64) {
    std::thread::sleep(std::time::Duration::from_secs(seconds));
}
