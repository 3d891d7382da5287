use std::path::Path;

use crate::ask::names;
use crate::{RunError, System, whole_text};

/// The folder of the files with sources, beside `/etc/apt/sources.list`.
pub const PARTS: &str = "/etc/apt/sources.list.d";
const LIST: &str = "/etc/apt/sources.list";

/// A source of binary packages (sources.list(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file that names it.
    pub file: String,
    /// Its repositories, as written but without a final slash.
    pub uris: Vec<String>,
    /// Its suites.
    pub suites: Vec<String>,
    /// Its components.
    pub components: Vec<String>,
    /// The file, or the fingerprints, of the keys that it is signed by; empty when any key of apt's will do.
    pub signed_by: String,
    /// Whether apt uses it.
    pub enabled: bool,
}

/// All sources, of all files.
pub async fn sources(host: &dyn System) -> Result<Vec<Source>, RunError> {
    let parts = names(host, PARTS).await?.unwrap_or_default();
    let parts = parts.into_iter().map(|name| format!("{PARTS}/{name}"));
    let mut all = Vec::new();
    for file in [LIST.to_owned()].into_iter().chain(parts) {
        if let Some(text) = whole_text(host, &file).await? {
            all.extend(parse(&file, &text));
        }
    }
    Ok(all)
}

/// The sources in the text of a file, whose name tells its format. apt reads no other files than `.list` and `.sources`.
pub fn parse(file: &str, text: &str) -> Vec<Source> {
    match Path::new(file).extension().and_then(|end| end.to_str()) {
        Some("list") => text.lines().filter_map(|line| one_line(file, line)).collect(),
        Some("sources") => stanzas(text).iter().filter_map(|stanza| deb822(file, stanza)).collect(),
        _ => Vec::new(),
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace()
        .map(|word| word.trim_end_matches('/').to_owned())
        .collect()
}

/// `deb [signed-by=…] URI SUITE COMPONENT…`
fn one_line(file: &str, line: &str) -> Option<Source> {
    let rest = line.split('#').next()?.trim().strip_prefix("deb")?;
    let rest = rest.strip_prefix(char::is_whitespace)?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let mut all = words(rest).into_iter();
    let signed_by = options
        .split_whitespace()
        .find_map(|option| option.strip_prefix("signed-by="));
    Some(Source {
        file: file.to_owned(),
        uris: vec![all.next()?],
        suites: vec![all.next()?],
        components: all.collect(),
        signed_by: signed_by.unwrap_or_default().to_owned(),
        enabled: true,
    })
}

/// The paragraphs of a text in deb822, without comments.
fn stanzas(text: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let paragraphs = lines.split(|line| line.trim().is_empty());
    paragraphs
        .filter(|lines| !lines.is_empty())
        .map(<[&str]>::to_vec)
        .collect()
}

fn deb822(file: &str, stanza: &[&str]) -> Option<Source> {
    let field = |name: &str| {
        let mut lines = stanza.iter().skip_while(|line| !is_field(line, name));
        let first = lines.next().and_then(|line| line.split_once(':'))?.1;
        let more = lines.take_while(|line| line.starts_with([' ', '\t']));
        let all: Vec<&str> = [first].into_iter().chain(more.copied()).collect();
        Some(all.join("\n").trim().to_owned())
    };
    let list = |name: &str| words(&field(name).unwrap_or_default());
    list("Types").contains(&"deb".to_owned()).then(|| Source {
        file: file.to_owned(),
        uris: list("URIs"),
        suites: list("Suites"),
        components: list("Components"),
        signed_by: field("Signed-By").unwrap_or_default(),
        enabled: !field("Enabled").is_some_and(|value| is_no(&value)),
    })
}

fn is_field(line: &str, name: &str) -> bool {
    line.split_once(':')
        .is_some_and(|(key, _)| key.eq_ignore_ascii_case(name))
}

/// `StringToBool` of apt-pkg/contrib/strutl.cc.
fn is_no(value: &str) -> bool {
    ["no", "false", "without", "off", "disable", "0"].contains(&value.to_lowercase().as_str())
}

/// The text of a `.sources` file in which every source of a repository on `host` is switched off; None when it has none
/// that is switched on. All else in the text stays.
pub fn switched_off(text: &str, host: &str) -> Option<String> {
    let ours = |uri: &String| uri.split_once("://").and_then(|(_, rest)| rest.split('/').next()) == Some(host);
    let on = |stanza: &[&str]| deb822("", stanza).is_some_and(|one| one.enabled && one.uris.iter().any(ours));
    let mut changed = false;
    let mut out = Vec::new();
    for paragraph in text.split("\n\n") {
        let bare: Vec<&str> = paragraph.lines().filter(|line| !line.starts_with('#')).collect();
        if !on(&bare) {
            out.push(paragraph.to_owned());
            continue;
        }
        changed = true;
        let kept = paragraph.lines().filter(|line| !is_field(line, "Enabled"));
        let lines: Vec<&str> = kept.chain(["Enabled: no"]).collect();
        out.push(lines.join("\n"));
    }
    changed.then(|| out.join("\n\n").trim_end().to_owned() + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTERPRISE: &str = "Types: deb\nURIs: https://enterprise.proxmox.com/debian/pve\nSuites: trixie\nComponents: pve-enterprise\n\
                              Signed-By: /usr/share/keyrings/proxmox-archive-keyring.gpg\n";

    #[test]
    fn both_formats_are_read() {
        let list = "# deb http://a x\ndeb-src http://a/ trixie main\ndeb [arch=arm64 signed-by=/k.gpg] http://a/b/ trixie main contrib # mine\n";
        let found = &parse("/etc/apt/sources.list", list)[..];
        let [source] = found else { panic!("{found:?}") };
        assert_eq!(
            (source.uris[0].as_str(), source.signed_by.as_str()),
            ("http://a/b", "/k.gpg")
        );
        assert_eq!(source.components, ["main", "contrib"]);
        let many = "# mine\nTypes: deb deb-src\nURIs: http://a\n http://b/\nSuites: trixie trixie-updates\nComponents: main\n\n\n\
                    types: deb\nenabled: No\nuris: http://c\nsuites: x/\n\nTypes: deb-src\nURIs: http://d\nSuites: x\n";
        let found = parse("x.sources", many);
        let short: Vec<_> = found
            .iter()
            .map(|one| (one.uris.join(" "), one.suites.len(), one.enabled))
            .collect();
        assert_eq!(
            short,
            [
                ("http://a http://b".to_owned(), 2, true),
                ("http://c".to_owned(), 1, false)
            ]
        );
        assert_eq!(parse("x.sources.dpkg-old", ENTERPRISE), []);
    }

    #[test]
    fn only_sources_of_that_host_are_switched_off() {
        let host = "enterprise.proxmox.com";
        let other = "# mine\nTypes: deb\nURIs: http://a\nSuites: x\n";
        let text = format!("{ENTERPRISE}\n{other}");
        let off = switched_off(&text, host).unwrap();
        assert_eq!(off, format!("{ENTERPRISE}Enabled: no\n\n{other}"));
        assert_eq!(switched_off(&off, host), None);
        let yes = ENTERPRISE.replace("Suites", "Enabled: yes\nSuites");
        assert_eq!(switched_off(&yes, host).unwrap(), format!("{ENTERPRISE}Enabled: no\n"));
        assert_eq!(switched_off(other, host), None);
        assert_eq!(switched_off(ENTERPRISE, "proxmox.com"), None);
    }
}
