use std::collections::{BTreeMap, HashMap};

use super::mistake::{Mistake, Wrong};
use super::value::Value;
use super::{MOST_BYTES, MOST_GROUPS, MOST_HOSTS, MOST_LINE_BYTES, MOST_MENTIONS, MOST_MISTAKES, MOST_VARIABLES};
use super::{groups, pattern, words};
use crate::screen::is_hidden;

/// The content of an inventory, in which every group that is named exists and none contains itself.
pub(super) struct Inventory {
    /// In the order in which the file first names them.
    pub(super) hosts: Vec<Host>,
    pub(super) groups: BTreeMap<String, Group>,
}

pub(super) struct Host {
    pub(super) name: String,
    /// The line that first names it, from 1.
    pub(super) line: usize,
    pub(super) port: Option<u16>,
    /// The variables of each line that names it; a range's hosts share theirs.
    lines: Vec<usize>,
    /// The groups that list it.
    pub(super) groups: Vec<String>,
}

#[derive(Default)]
pub(super) struct Group {
    pub(super) line: usize,
    pub(super) variables: Vec<Variable>,
    /// The groups that contain it.
    pub(super) parents: Vec<String>,
    /// 0 for `all`, and more than each of its parents.
    pub(super) depth: usize,
}

#[derive(Clone)]
pub(super) struct Variable {
    /// Letters, digits and `_`, at most 64.
    pub(super) name: String,
    pub(super) value: Value,
    /// Line number, from 1.
    pub(super) line: usize,
}

/// What the lines below a section's header are.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Hosts,
    Variables,
    Children,
}

/// What is read so far.
struct Reading {
    hosts: Vec<Host>,
    place: HashMap<String, usize>,
    lines: Vec<Vec<Variable>>,
    groups: BTreeMap<String, Group>,
    /// Groups that must be declared somewhere, and the line that needs them.
    needed: Vec<(String, usize)>,
    mentions: usize,
    variables: usize,
    group: String,
    kind: Kind,
}

/// Reads the bytes of an inventory. Its error: the first mistakes, in the order of the file.
pub(super) fn parse(bytes: &[u8]) -> Result<Parsed, Vec<Mistake>> {
    if bytes.len() > MOST_BYTES {
        let found = format!("the inventory has more than {} KiB", MOST_BYTES >> 10);
        return Err(vec![
            Wrong::new(found, "make a smaller one, with the nodes alone").at(1),
        ]);
    }
    let mut reading = Reading::new();
    let mut mistakes = Vec::new();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut is_first = true;
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if number == 1 && line.starts_with(b"#!") {
            return Err(vec![program().at(1)]);
        }
        let line = match text(line) {
            Ok("") => continue,
            Ok(line) => line,
            Err(wrong) => {
                mistakes.push(wrong.at(number));
                continue;
            }
        };
        if std::mem::take(&mut is_first) && is_yaml(line) {
            return Err(vec![yaml().at(number)]);
        }
        if let Err(wrong) = reading.take(line, number) {
            mistakes.push(wrong.at(number));
        }
        if mistakes.len() >= MOST_MISTAKES {
            break;
        }
    }
    if mistakes.is_empty() {
        mistakes = reading.undeclared();
    }
    match mistakes.is_empty() {
        true => reading.finish(),
        false => Err(mistakes),
    }
}

/// A line without blanks around it; empty for a comment.
fn text(line: &[u8]) -> Result<&str, Wrong> {
    let line = line.trim_ascii();
    // Ansible reads comments in any encoding.
    if line.starts_with(b"#") || line.starts_with(b";") {
        return Ok("");
    }
    if line.len() > MOST_LINE_BYTES {
        let found = format!("the line has more than {MOST_LINE_BYTES} bytes");
        return Err(Wrong::new(found, "make it shorter"));
    }
    let line = std::str::from_utf8(line).map_err(|_| Wrong::new("the line is not UTF-8", "save the file as UTF-8"))?;
    match line.chars().any(|c| c != '\t' && is_hidden(c)) {
        true => Err(Wrong::new(
            "there is an invisible character",
            "delete it, or type the line again",
        )),
        false => Ok(line),
    }
}

/// Whether the first line that says something is of YAML or JSON.
fn is_yaml(line: &str) -> bool {
    let bare = line.split('#').next().unwrap_or_default().trim_end();
    line.starts_with("---") || line.starts_with(['{', '%']) || bare.ends_with(':') && !bare.contains([' ', '['])
}

pub(super) fn yaml() -> Wrong {
    let next = "heeler reads the INI form: [pve_nodes], and below it a line NAME ansible_host=IP for each node";
    Wrong::new("this is an inventory in YAML or JSON", next)
}

fn program() -> Wrong {
    let next = "heeler runs no program; write [pve_nodes], and below it a line NAME ansible_host=IP for each node";
    Wrong::new("this is a program that prints an inventory", next)
}

impl Reading {
    fn new() -> Self {
        let group = |name: &str| (name.to_owned(), Group::default());
        Self {
            hosts: Vec::new(),
            place: HashMap::new(),
            lines: Vec::new(),
            groups: ["all", "ungrouped"].map(group).into(),
            needed: Vec::new(),
            mentions: 0,
            variables: 0,
            group: "ungrouped".to_owned(),
            kind: Kind::Hosts,
        }
    }

    fn take(&mut self, line: &str, number: usize) -> Result<(), Wrong> {
        if let Some((name, kind)) = header(line)? {
            return self.open(name, kind, number);
        }
        match self.kind {
            Kind::Hosts => self.host(line, number),
            Kind::Variables => self.variable(line, number),
            Kind::Children => self.child(line, number),
        }
    }

    fn open(&mut self, name: &str, kind: Kind, number: usize) -> Result<(), Wrong> {
        (self.group, self.kind) = (group_name(name)?, kind);
        if kind == Kind::Variables {
            self.needed.push((self.group.clone(), number));
            return Ok(());
        }
        self.declare(number)
    }

    fn declare(&mut self, number: usize) -> Result<(), Wrong> {
        if self.groups.len() >= MOST_GROUPS && !self.groups.contains_key(&self.group) {
            let found = format!("there are more than {MOST_GROUPS} groups");
            return Err(Wrong::new(found, "make a smaller inventory, with the nodes alone"));
        }
        let group = self.groups.entry(self.group.clone()).or_default();
        if group.line == 0 {
            group.line = number;
        }
        Ok(())
    }

    fn host(&mut self, line: &str, number: usize) -> Result<(), Wrong> {
        let words = words::words(line)?;
        let Some((first, rest)) = words.split_first() else {
            return Ok(());
        };
        let hosts = pattern::hosts(first)?;
        let variables: Result<Vec<_>, _> = rest.iter().map(|word| variable(word, number, Value::of_word)).collect();
        let variables = variables?;
        self.count(variables.len())?;
        self.lines.push(variables);
        self.mentions += hosts.names.len();
        if self.mentions > MOST_MENTIONS {
            let found = format!("hosts are named more than {MOST_MENTIONS} times");
            return Err(Wrong::new(found, "make a smaller inventory, with the nodes alone"));
        }
        for name in hosts.names {
            let known = self.place.get(&name).copied();
            let at = known.unwrap_or(self.hosts.len());
            if known.is_none() {
                if at == MOST_HOSTS {
                    return Err(pattern::many());
                }
                self.place.insert(name.clone(), at);
                self.hosts.push(Host {
                    name,
                    line: number,
                    port: None,
                    lines: Vec::new(),
                    groups: Vec::new(),
                });
            }
            let host = &mut self.hosts[at];
            host.port = hosts.port.or(host.port);
            host.lines.push(self.lines.len() - 1);
            if !host.groups.contains(&self.group) {
                host.groups.push(self.group.clone());
            }
        }
        Ok(())
    }

    fn variable(&mut self, line: &str, number: usize) -> Result<(), Wrong> {
        let variable = variable(line, number, Value::of_line)?;
        self.count(1)?;
        // A group may be declared below its variables.
        self.groups
            .entry(self.group.clone())
            .or_default()
            .variables
            .push(variable);
        Ok(())
    }

    fn count(&mut self, more: usize) -> Result<(), Wrong> {
        self.variables += more;
        let found = || format!("there are more than {MOST_VARIABLES} variables");
        match self.variables > MOST_VARIABLES {
            true => Err(Wrong::new(found(), "make a smaller inventory, with the nodes alone")),
            false => Ok(()),
        }
    }

    fn child(&mut self, line: &str, number: usize) -> Result<(), Wrong> {
        let child = group_name(line.split('#').next().unwrap_or_default().trim_end())?;
        self.needed.push((child.clone(), number));
        let parents = &mut self.groups.entry(child).or_default().parents;
        if !parents.contains(&self.group) {
            parents.push(self.group.clone());
        }
        Ok(())
    }

    /// Groups that something refers to, and that have no section.
    fn undeclared(&self) -> Vec<Mistake> {
        let gone = |(name, _): &&(String, usize)| {
            let known = self.groups.get(name).is_some_and(|group| group.line > 0);
            !known && !matches!(name.as_str(), "all" | "ungrouped")
        };
        let mistake = |(name, line): &(String, usize)| {
            Wrong::new(
                format!("there is no group {name}"),
                format!("write [{name}], and its hosts below it"),
            )
            .at(*line)
        };
        self.needed
            .iter()
            .filter(gone)
            .take(MOST_MISTAKES)
            .map(mistake)
            .collect()
    }

    fn finish(mut self) -> Result<Parsed, Vec<Mistake>> {
        groups::order(&mut self.groups).map_err(|mistake| vec![mistake])?;
        let inventory = Inventory {
            hosts: self.hosts,
            groups: self.groups,
        };
        Ok(Parsed {
            inventory,
            lines: self.lines,
        })
    }
}

/// An inventory with the variables of its lines.
pub(super) struct Parsed {
    pub(super) inventory: Inventory,
    lines: Vec<Vec<Variable>>,
}

impl Parsed {
    /// The variables that the host's own lines set, in the order of the file.
    pub(super) fn own<'p>(&'p self, host: &'p Host) -> impl Iterator<Item = &'p Variable> {
        host.lines.iter().filter_map(|at| self.lines.get(*at)).flatten()
    }
}

/// The group and kind of a section's header; None for another line, such as a host `[1:3].lan`.
fn header(line: &str) -> Result<Option<(&str, Kind)>, Wrong> {
    let Some(inner) = line.strip_prefix('[') else {
        return Ok(None);
    };
    let Some((inner, after)) = inner.split_once(']') else {
        return Err(Wrong::new(
            "a bracket is not closed",
            "write [GROUP], [GROUP:vars] or [GROUP:children]",
        ));
    };
    let rest = after.trim_start();
    if !rest.is_empty() && !rest.starts_with('#') {
        let is_host = after.len() == rest.len();
        let wrong = || {
            Wrong::new(
                "something follows the closing bracket",
                "begin a new line, or a comment with #",
            )
        };
        return if is_host { Ok(None) } else { Err(wrong()) };
    }
    let (name, kind) = match inner.split_once(':') {
        None => (inner, Kind::Hosts),
        Some((name, "hosts")) => (name, Kind::Hosts),
        Some((name, "vars")) => (name, Kind::Variables),
        Some((name, "children")) => (name, Kind::Children),
        Some(_) => {
            let next = "write [GROUP], [GROUP:vars] or [GROUP:children]";
            return Err(Wrong::new("there is no such kind of section", next));
        }
    };
    Ok(Some((name, kind)))
}

fn group_name(name: &str) -> Result<String, Wrong> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    match !name.is_empty() && name.len() <= 64 && name.chars().all(fits) {
        true => Ok(name.to_owned()),
        false => Err(Wrong::new(
            "a group's name is not one",
            "letters, digits and . _ -, without blanks; at most 64",
        )),
    }
}

/// `NAME=VALUE`.
fn variable(text: &str, line: usize, value: fn(&str) -> Value) -> Result<Variable, Wrong> {
    let (name, rest) = text.split_once('=').ok_or_else(|| {
        Wrong::new(
            "a variable has no =",
            "write NAME=VALUE, with quotes around a value with blanks",
        )
    })?;
    let name = name.trim();
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !name.starts_with(first) || name.len() > 64 || !name.chars().all(inner) {
        let next = "begin with a letter; then letters, digits and _; at most 64";
        return Err(Wrong::new("a variable's name is not one", next));
    }
    let (name, value) = (name.to_owned(), value(rest));
    Ok(Variable { name, value, line })
}
