//! A transcript with what a replay needs beside it, and the replay itself.

use crate::compare::differences;
use crate::machine::Lab;
use crate::transcript::{Record, Transcript};

/// A transcript, and what its replay needs.
pub struct Case {
    /// File name in `transcripts/`.
    pub transcript: &'static str,
    /// What was done before the recording: node and script.
    pub before: &'static [(&'static str, &'static str)],
    pub left_out: &'static [LeftOut],
    /// What happened beside the recorded commands.
    pub beside: &'static [Beside],
    pub expected: Count,
}

/// A recorded command that is not compared.
pub struct LeftOut {
    /// How the command begins, or `:LINE` where it stands in the transcript.
    pub command: &'static str,
    pub reason: &'static str,
    /// A script that brings about what the command changed; empty when it changed nothing.
    pub instead: &'static str,
}

/// What happened before the command of a line.
pub struct Beside {
    pub line: usize,
    pub node: &'static str,
    /// A script that brings it about.
    pub script: &'static str,
}

/// What a replay compared.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Commands that ran again.
    pub commands: usize,
    /// Commands that are not compared, each with a reason.
    pub left_out: usize,
    /// Lines compared; an exit code is a line.
    pub lines: usize,
}

impl LeftOut {
    pub const fn new(command: &'static str, reason: &'static str) -> Self {
        Self {
            command,
            reason,
            instead: "",
        }
    }

    fn is(&self, record: &Record) -> bool {
        let line = self.command.strip_prefix(':').and_then(|line| line.parse().ok());
        line.map_or_else(
            || record.command.starts_with(self.command),
            |line: usize| record.line == line,
        )
    }
}

impl Case {
    /// Replays the whole transcript; panics with every difference.
    pub fn replay(&self) {
        let name = self.transcript;
        let records = Transcript::named(name).records;
        let lab = Lab::new();
        for (node, script) in self.before {
            lab.prepare(node, script);
        }
        let mut count = Count::default();
        let mut wrong = Vec::new();
        for record in &records {
            for beside in self.beside.iter().filter(|beside| beside.line == record.line) {
                lab.prepare(beside.node, beside.script);
            }
            if let Some(left_out) = self.left_out.iter().find(|l| l.is(record)) {
                assert!(!left_out.reason.is_empty(), "{}: no reason", left_out.command);
                if !left_out.instead.is_empty() {
                    lab.prepare(&record.node, left_out.instead);
                }
                count.left_out += 1;
                continue;
            }
            let answer = lab.run(&record.node, record.uncut().unwrap_or(&record.command));
            let found = differences(record, &answer, &mut count.lines);
            count.commands += 1;
            let place = format!("{name}:{}: {}", record.line, record.command);
            wrong.extend(found.into_iter().map(|difference| format!("{place}\n{difference}")));
        }
        for left_out in self.left_out {
            let used = records.iter().any(|record| left_out.is(record));
            assert!(used, "{name}: no command begins with: {}", left_out.command);
        }
        assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
        assert_eq!(count, self.expected, "{name}");
    }
}
