use super::{list, order, sources};
use crate::sim::state::State;

/// A version of a package in a list, or installed.
struct Known {
    version: String,
    source: String,
    /// Address, then suite and component.
    from: Option<(String, String)>,
}

/// What `apt-cache policy NAME…` prints.
pub(super) fn print(state: &State, names: &[&str]) -> String {
    names.iter().map(|name| one(state, name)).collect()
}

fn one(state: &State, name: &str) -> String {
    let known = known(state, name);
    if known.is_empty() {
        return String::new();
    }
    let installed = installed(&known);
    let (candidate, numbers) = (chosen(state, name, &known), numbers(&known));
    let mut text = format!(
        "{name}:\n  Installed: {}\n  Candidate: {}\n  Version table:\n",
        installed.unwrap_or("(none)"),
        candidate.unwrap_or("(none)")
    );
    for number in &numbers {
        let mark = if installed == Some(*number) { "***" } else { "   " };
        text += &format!(" {mark} {number} {}\n", priority(state, name, &known, number));
        for one in known.iter().filter(|one| one.version == *number) {
            text += &match &one.from {
                Some((uri, place)) => format!("        {} {uri} {place} arm64 Packages\n", general(state, uri)),
                None => "        100 /var/lib/dpkg/status\n".to_owned(),
            };
        }
    }
    text
}

fn installed(known: &[Known]) -> Option<&str> {
    let mut all = known.iter().filter(|one| one.from.is_none());
    all.next().map(|one| one.version.as_str())
}

/// Newest first.
fn numbers(known: &[Known]) -> Vec<&str> {
    let mut numbers: Vec<&str> = known.iter().map(|one| one.version.as_str()).collect();
    numbers.sort_by(|a, b| order::compare(b, a));
    numbers.dedup();
    numbers
}

fn priority(state: &State, name: &str, known: &[Known], number: &str) -> i32 {
    let of = known.iter().filter(|one| one.version == number);
    of.map(|one| of_version(state, name, one)).max().unwrap_or_default()
}

/// apt takes no lower version than the installed one at these priorities.
fn chosen<'a>(state: &State, name: &str, known: &'a [Known]) -> Option<&'a str> {
    let installed = installed(known);
    let allowed = |number: &&&str| {
        priority(state, name, known, number) > 0
            && installed.is_none_or(|installed| order::compare(number, installed).is_ge())
    };
    let numbers = numbers(known);
    let highest = numbers
        .iter()
        .filter(allowed)
        .map(|number| priority(state, name, known, number))
        .max();
    let mut best = numbers.iter().filter(allowed);
    best.find(|number| Some(priority(state, name, known, number)) == highest)
        .copied()
}

/// The version that apt would install, and the address of a source that has it; None for the installed one.
pub(super) fn candidate(state: &State, name: &str) -> Option<(String, Option<String>)> {
    let known = known(state, name);
    let version = chosen(state, name, &known)?.to_owned();
    let mut of = known.into_iter().filter(|one| one.version == version);
    let from = of.find_map(|one| one.from).map(|(uri, _)| uri);
    Some((version, from))
}

fn known(state: &State, name: &str) -> Vec<Known> {
    let there = state.os.packages.all.get(name);
    let there = there.filter(|package| package.state != "config-files");
    let mut all: Vec<Known> = there
        .map(|package| Known {
            version: package.version.to_owned(),
            source: name.to_owned(),
            from: None,
        })
        .into_iter()
        .collect();
    for source in sources(state) {
        for (uri, suite) in source
            .uris
            .iter()
            .flat_map(|uri| source.suites.iter().map(move |suite| (uri, suite)))
        {
            for component in &source.components {
                let text = state.os.files.text(&list(uri, suite, component)).unwrap_or_default();
                for line in text.lines().map(|line| line.split(' ').collect::<Vec<_>>()) {
                    if let [found, version, source] = line.as_slice()
                        && *found == name
                    {
                        all.push(Known {
                            version: (*version).to_owned(),
                            source: (*source).to_owned(),
                            from: Some((uri.clone(), format!("{suite}/{component}"))),
                        });
                    }
                }
            }
        }
    }
    all
}

/// Paragraphs of the files in /etc/apt/preferences.d, in their order: packages, host (empty: any), priority.
fn pins(state: &State) -> Vec<(Vec<String>, String, i32)> {
    let files = state
        .os
        .files
        .all()
        .filter(|(path, _)| path.starts_with("/etc/apt/preferences.d"));
    let texts: Vec<String> = files
        .map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
        .collect();
    let paragraphs = texts.iter().flat_map(|text| text.split("\n\n"));
    let pin = |paragraph: &str| {
        let field = |name: &str| {
            paragraph
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .map(str::trim)
        };
        let packages = field("Package:")?.split(' ').map(str::to_owned).collect();
        let host = field("Pin:")?
            .strip_prefix("origin ")
            .unwrap_or_default()
            .trim_matches('"');
        Some((packages, host.to_owned(), field("Pin-Priority:")?.parse().ok()?))
    };
    paragraphs.filter_map(pin).collect()
}

fn fits(host: &str, uri: &str) -> bool {
    host.is_empty() || uri.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()) == Some(host)
}

/// The priority of a version: the first paragraph that names the package counts, then the first for all packages.
fn of_version(state: &State, name: &str, version: &Known) -> i32 {
    let Some((uri, _)) = &version.from else { return 100 };
    let names = |pattern: &String| match pattern.strip_prefix("src:") {
        Some(source) => glob(source, &version.source),
        None => pattern != "*" && glob(pattern, name),
    };
    let pins = pins(state);
    let special = pins
        .iter()
        .find(|(packages, host, _)| fits(host, uri) && packages.iter().any(names));
    special.map_or_else(|| general(state, uri), |(_, _, priority)| *priority)
}

fn general(state: &State, uri: &str) -> i32 {
    let all =
        |(packages, host, _): &&(Vec<String>, String, i32)| fits(host, uri) && packages.iter().any(|one| one == "*");
    pins(state).iter().find(all).map_or(500, |(_, _, priority)| *priority)
}

/// Whether the text fits a pattern in which `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((begin, rest)) => text.strip_prefix(begin).is_some_and(|text| {
            let mut ends = text.char_indices().map(|(at, _)| &text[at..]).chain([""]);
            ends.any(|end| glob(rest, end))
        }),
    }
}
