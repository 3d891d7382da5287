//! Reads a transcript: commands with what they printed and their exit code.

use std::fs;
use std::path::Path;

/// One command.
#[derive(Debug, Default)]
pub struct Record {
    /// Line of the command in the file, from 1.
    pub line: usize,
    /// Node that it ran on; empty where several nodes ran it.
    pub node: String,
    pub command: String,
    /// Exit code; none where the recording tells the story of a terminal or of several nodes.
    pub exit: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// Bytes of stdout and of stderr, as the recording counts them.
    pub bytes: (usize, usize),
    /// What is neither: the story.
    pub story: String,
}

/// A whole file.
#[derive(Debug)]
pub struct Transcript {
    pub records: Vec<Record>,
}

impl Record {
    /// The command without the pipe into `head -c` that ends it: its answer was cut in the recording.
    pub fn uncut(&self) -> Option<&str> {
        let (command, bytes) = self.command.rsplit_once(" | head -c ")?;
        bytes.bytes().all(|b| b.is_ascii_digit()).then_some(command)
    }
}

/// Where the recording marks that output ended without a line end.
const NO_NEWLINE: &str = "<no newline at end>\n";

#[derive(Clone, Copy)]
enum Part {
    Stdout,
    Stderr,
    Story,
}

impl Transcript {
    /// The transcript of this file name in this crate.
    pub fn named(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts").join(name);
        Self::parse(&fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
    }

    pub fn parse(text: &str) -> Self {
        let mut records: Vec<Record> = Vec::new();
        let mut part = Part::Story;
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            if let Some(prompt) = line.strip_prefix("### ") {
                records.push(Record {
                    line: number,
                    ..begun(prompt.trim_end())
                });
                part = Part::Story;
                continue;
            }
            let Some(record) = records.last_mut() else { continue };
            if let Some(code) = exit_code(line).filter(|_| record.exit.is_none()) {
                record.exit = Some(code);
            } else if let Some(bytes) = size(line, "--- stdout (") {
                record.bytes.0 = bytes;
                part = Part::Stdout;
            } else if let Some(bytes) = size(line, "--- stderr (") {
                record.bytes.1 = bytes;
                part = Part::Stderr;
            } else {
                let text = match part {
                    Part::Stdout => &mut record.stdout,
                    Part::Stderr => &mut record.stderr,
                    Part::Story => &mut record.story,
                };
                text.push_str(line);
            }
        }
        records.iter_mut().for_each(finish);
        Self { records }
    }
}

/// `NODE$ COMMAND`, `NODE(vm)# COMMAND`, `NODE$ (on a tty) COMMAND` or a story about several nodes.
fn begun(prompt: &str) -> Record {
    let split = prompt.split_once("$ ").or_else(|| prompt.split_once("# "));
    let named = split.filter(|(node, _)| !node.contains([' ', ':']));
    let (node, command) = named.unwrap_or(("", prompt));
    let node = node.split('(').next().unwrap_or_default().to_owned();
    let command = command.trim_start_matches("(on a tty) ").to_owned();
    Record {
        node,
        command,
        ..Record::default()
    }
}

fn exit_code(line: &str) -> Option<i32> {
    line.strip_prefix("exit: ")?.split_whitespace().next()?.parse().ok()
}

fn size(line: &str, before: &str) -> Option<usize> {
    line.strip_prefix(before)?
        .trim_end()
        .strip_suffix(" bytes)")?
        .parse()
        .ok()
}

/// An empty line ends each record; it belongs to no output.
fn finish(record: &mut Record) {
    if record.exit.is_some() && record.stderr.ends_with('\n') {
        record.stderr.pop();
    }
    for text in [&mut record.stdout, &mut record.stderr] {
        if let Some(cut) = text.strip_suffix(NO_NEWLINE) {
            *text = cut.to_owned();
        }
    }
}

#[test]
fn every_form_of_record_is_read() {
    let text = "### n1$ a | b\nexit: 2   (.1s)\n--- stdout (3 bytes)\n\nxy<no newline at end>\n--- stderr (2 bytes)\n\n\n\n\
                ### n4(vm)# c\nexit: 0   (1s)\n--- stdout (0 bytes)\n--- stderr (0 bytes)\n\n\
                ### n2$ (on a tty) d\nspawn d\n<exit 0>\n\n### concurrent: n2 and n3\n-- n2\n";
    let records = Transcript::parse(text).records;
    let seen: Vec<_> = records
        .iter()
        .map(|r| (r.node.as_str(), r.command.as_str(), r.exit))
        .collect();
    let expected = [
        ("n1", "a | b", Some(2)),
        ("n4", "c", Some(0)),
        ("n2", "d", None),
        ("", "concurrent: n2 and n3", None),
    ];
    assert_eq!(seen, expected);
    let outputs: Vec<_> = records.iter().map(|r| (r.stdout.as_str(), r.stderr.as_str())).collect();
    assert_eq!(outputs[..2], [("\nxy", "\n\n"), ("", "")]);
    assert_eq!(records[2].story, "spawn d\n<exit 0>\n\n");
}

#[test]
fn every_recorded_size_fits_what_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    for file in fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let records = Transcript::named(&name).records;
        // Where a path of the recorder was made short, the size is the old one.
        // The answers of two nodes that ran at once are mixed in one place; secrets were taken out of HTTP answers.
        let is_whole = |text: &str| {
            !["lowerdir=LAB", "quorum...### ", "PVE:root@pam:..."]
                .iter()
                .any(|t| text.contains(t))
        };
        let whole = |record: &&Record| record.exit.is_some() && is_whole(&record.stdout);
        for record in records.iter().filter(whole) {
            let read = (record.stdout.len(), record.stderr.len());
            assert_eq!(read, record.bytes, "{name}:{}: {}", record.line, record.command);
        }
    }
}
