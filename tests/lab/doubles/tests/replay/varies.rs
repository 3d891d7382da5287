//! What the machine or chance decides is made equal before lines are compared.

use serde_json::Value;

/// Fields of JSON answers that differ on each machine: secrets, times, sizes of disks, states of a file that is written
/// in random order.
const VARIES: [&str; 26] = [
    "avail",
    "cpu",
    "ctime",
    "digest",
    "disk",
    "endtime",
    "kversion",
    "localtime",
    "maxcpu",
    "maxdisk",
    "maxmem",
    "mem",
    "netin",
    "pid",
    "pressurecpufull",
    "pressurecpusome",
    "pstart",
    "serverid",
    "starttime",
    "time",
    "ssl_fingerprint",
    "total",
    "uptime",
    "used",
    "used_fraction",
    "value",
];
/// Objects and lists of which only the form is compared.
const FORM_ONLY: [&str; 6] = ["cpuinfo", "current-kernel", "loadavg", "memory", "rootfs", "swap"];
/// Sizes of disks have at least so many digits.
const LONG_NUMBER: usize = 7;

/// A line without what varies.
pub fn line_of(line: &str) -> String {
    if let Ok(mut value) = serde_json::from_str::<Value>(line) {
        settle(&mut value);
        return format!("{value}\n");
    }
    if let Some(kinds) = line.strip_prefix("\tcontent ") {
        return format!("\tcontent {}\n", sorted(kinds.trim_end()));
    }
    if let Some(name) = ["Date: ", "Ring ID: "].iter().find(|name| line.starts_with(**name)) {
        return format!("{name}changes\n");
    }
    if line.starts_with("\"version\": ") {
        return "\"version\": changes,\n".to_owned();
    }
    if let Some(entry) = entry(line) {
        return entry;
    }
    let line = &settle_words(line);
    if let Some((name, value)) = line.trim_end().split_once(": ") {
        let is_number = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if is_number && VARIES.contains(&name.trim_start()) {
            return format!("{name}: some number\n");
        }
    }
    if let [id, name, "running", memory, disk, _] = line.split_whitespace().collect::<Vec<_>>().as_slice() {
        return format!("{id} {name} running {memory} {disk} some-process\n");
    }
    let is_usage = line.split_whitespace().nth(2).is_some_and(|word| word == "active");
    let words: Vec<String> = line
        .split(' ')
        .map(|word| if is_usage { size(word) } else { word.to_owned() })
        .collect();
    words.join(" ")
}

/// Keeps the form and the kinds of values.
fn blank(value: &mut Value) {
    match value {
        Value::Array(rows) => rows.iter_mut().for_each(blank),
        Value::Object(fields) => fields.iter_mut().for_each(|(_, field)| blank(field)),
        Value::String(text) => "some text".clone_into(text),
        Value::Number(_) => *value = Value::from("some number"),
        _ => {}
    }
}

/// What of a line of `ls -l` does not vary: the kind of a file, its name, and where a link leads.
fn entry(line: &str) -> Option<String> {
    if line.starts_with("total ") {
        return Some("total\n".to_owned());
    }
    let mut words = line.split_whitespace();
    let mode = words
        .next()
        .filter(|mode| mode.len() == 10 && mode.contains(['r', '-']))?;
    let name: Vec<&str> = words.skip(7).collect();
    let kind = mode.get(..1).filter(|kind| matches!(*kind, "-" | "d" | "l"))?;
    (!name.is_empty()).then(|| format!("{kind} {}\n", name.join(" ")))
}

/// Words that chance or the clock decides, by their form.
fn settle_words(line: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || "\"'=,[]{}/@.".contains(c);
    let words = line.split_inclusive(is_end).map(|part| {
        let end = part.chars().last().filter(|c| is_end(*c));
        let word = part.strip_suffix(is_end).unwrap_or(part);
        format!("{}{}", form(word), end.map(String::from).unwrap_or_default())
    });
    let line: String = words.collect();
    let ctime = line.split_once("ctime=").map(|(before, after)| {
        let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
        format!("{before}ctime=changes{after}")
    });
    ctime.unwrap_or(line)
}

fn form(word: &str) -> String {
    let parts: Vec<&str> = word.split([':', '-']).collect();
    let is_hex = |text: &&str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let all_hex = parts.iter().all(is_hex);
    match (parts.as_slice(), lengths.as_slice()) {
        (_, [8, 4, 4, 4, 12]) if all_hex => "some-uuid".to_owned(),
        (["BC", "24", "11", ..], [2, 2, 2, 2, 2, 2]) if all_hex => "some-mac".to_owned(),
        (_, lengths) if all_hex && lengths.len() == 32 => "some-fingerprint".to_owned(),
        (["UPID", node, _, _, _, rest @ ..], _) => format!("UPID:{node}:some:task:{}", rest.join(":")),
        (["config", time], _) if time.len() == 10 && is_hex(time) => "config-time".to_owned(),
        ([time], [8]) if is_hex(time) && time.starts_with('6') && time.contains('B') => "some-time".to_owned(),
        _ => word.to_owned(),
    }
}

/// A size or a share of a disk, its width kept.
fn size(word: &str) -> String {
    let is_long = word.len() >= LONG_NUMBER && word.bytes().all(|b| b.is_ascii_digit());
    let is_share = word.trim_end().ends_with('%') && word.len() > 1;
    if is_long || is_share {
        "#".repeat(word.len())
    } else {
        word.to_owned()
    }
}

fn sorted(kinds: &str) -> String {
    let mut kinds: Vec<&str> = kinds.split(',').collect();
    kinds.sort_unstable();
    kinds.join(",")
}

/// Lists of content and rows have no order: the real programs print them in a random one.
fn settle(value: &mut Value) {
    match value {
        Value::Array(rows) => {
            rows.iter_mut().for_each(settle);
            rows.sort_by_key(Value::to_string);
        }
        Value::String(text) => *text = settle_words(text),
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                let kinds = field.as_str().filter(|_| name == "content").map(sorted);
                if let Some(kinds) = kinds {
                    *field = Value::from(kinds);
                } else if FORM_ONLY.contains(&name.as_str()) && !field.is_string() {
                    blank(field);
                } else if VARIES.contains(&name.as_str()) {
                    *field = Value::from(if field.is_string() { "some text" } else { "some number" });
                } else {
                    settle(field);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn another_number_of_a_disk_is_no_difference() {
    let recorded = "d1 dir active 264212084 29533400 11.18%\n";
    assert_eq!(line_of(recorded), line_of("d1 dir active 264212085 99533400 12.00%\n"));
    assert_ne!(
        line_of(recorded),
        line_of("d1 dir inactive 264212084 29533400 11.18%\n")
    );
    assert_ne!(line_of(recorded), line_of("d1 dir active 0 29533400 11.18%\n"));
}

#[test]
fn another_row_is_a_difference() {
    let rows = "[{\"a\":\"x\"},{\"a\":\"y\"}]\n";
    assert_eq!(line_of(rows), line_of("[{\"a\":\"y\"},{\"a\":\"x\"}]\n"));
    assert_ne!(line_of(rows), line_of("[{\"a\":\"x\"}]\n"));
}

#[test]
fn another_time_or_number_of_a_task_is_no_difference() {
    let recorded = "UPID:pve1:0000010A:0002A60C:6B02CC01:clustercreate:lab:root@pam: 6B02CC03 OK\n";
    let other = "UPID:pve1:00000FFF:0002A60D:6B02CC02:clustercreate:lab:root@pam: 6B02CC04 OK\n";
    assert_eq!(line_of(recorded), line_of(other));
    assert_ne!(line_of(recorded), line_of(&other.replace("OK", "failed")));
    assert_ne!(line_of(recorded), line_of(&other.replace("lab", "other")));
}

#[test]
fn another_name_of_a_file_is_a_difference() {
    let recorded = "-rw-r--r-- 1 root root  371 Nov 22 11:02 corosync.conf\n";
    assert_eq!(
        line_of(recorded),
        line_of("-rw-r----- 1 me me 5 Dec  1  2026 corosync.conf\n")
    );
    assert_ne!(
        line_of(recorded),
        line_of("-rw-r----- 1 me me 5 Dec  1  2026 corosync\n")
    );
}
