//! Compares an answer with a recording, line by line.

use serde_json::Value;

use crate::machine::Answer;
use crate::transcript::Record;
use crate::varies::line_of;

/// The recorded machines had no cgroup of the old kind.
const ARTEFACT: &str = "unable to get memory stat for ";

/// Texts about each line that differs; adds the lines compared to `lines`.
pub fn differences(record: &Record, answer: &Answer, lines: &mut usize) -> Vec<String> {
    let mut wrong = Vec::new();
    *lines += 1;
    if record.exit != Some(answer.exit) {
        wrong.push(format!("  exit: recorded {:?}, got {}", record.exit, answer.exit));
    }
    let is_whole = serde_json::from_str::<Value>(&record.stdout).is_ok();
    let is_cut = record.uncut().is_some() && !is_whole;
    if is_cut {
        *lines += 1;
        if !begins_some_answer(&record.stdout, &answer.stdout) {
            wrong.push(format!(
                "  stdout, cut: recorded {}\n  got {}",
                record.stdout, answer.stdout
            ));
        }
    }
    let stdout = (!is_cut).then_some(("stdout", &record.stdout, &answer.stdout));
    for (name, recorded, got) in stdout.into_iter().chain([("stderr", &record.stderr, &answer.stderr)]) {
        let (mut recorded, got) = (lines_of(recorded), lines_of(got));
        recorded.retain(|line| !line.starts_with(ARTEFACT));
        for at in 0..recorded.len().max(got.len()) {
            *lines += 1;
            let (a, b) = (recorded.get(at), got.get(at));
            if a != b {
                wrong.push(format!(
                    "  {name} line {}\n    recorded {a:?}\n    got      {b:?}",
                    at + 1
                ));
            }
        }
    }
    wrong
}

/// Lines with their ends: a missing line end is a difference.
fn lines_of(text: &str) -> Vec<String> {
    text.split_inclusive('\n').map(line_of).collect()
}

/// Whether a recording that was cut after some bytes is the beginning of this answer, in some order of its rows: each
/// whole row is in the answer, and the last one, cut, begins one.
fn begins_some_answer(cut: &str, answer: &str) -> bool {
    let Ok(answer) = serde_json::from_str::<Value>(answer) else {
        return false;
    };
    match answer {
        Value::Array(rows) => {
            let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
            let parts = cut.trim_start_matches('[').split_inclusive("},");
            let mut parts = parts.map(|part| part.strip_suffix(',').unwrap_or(part));
            parts.all(|part| {
                rows.iter()
                    .any(|row| row == part || (!part.ends_with('}') && row.starts_with(part)))
            })
        }
        object => object.to_string().starts_with(cut),
    }
}

#[test]
fn a_cut_answer_is_the_beginning_of_some_rows() {
    let rows = "[{\"a\":\"x\"},{\"a\":\"y\"}]\n";
    assert!(begins_some_answer("[{\"a\":\"y\"},{\"a\":", rows));
    assert!(!begins_some_answer("[{\"a\":\"z\"},{\"a\":", rows));
}
