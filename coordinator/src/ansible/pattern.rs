use std::net::IpAddr;

use super::MOST_HOSTS;
use super::mistake::Wrong;

/// Longest pattern, in bytes: the longest host name (RFC 1123).
const MOST_BYTES: usize = 255;

/// The hosts of a pattern such as `pi[1:3]:2222`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hosts {
    pub(super) names: Vec<String>,
    pub(super) port: Option<u16>,
}

/// Reads the first word of a host's line. Fails also when it names more than [`MOST_HOSTS`] hosts.
pub(super) fn hosts(pattern: &str) -> Result<Hosts, Wrong> {
    if pattern.contains('=') {
        let next = "write the host's name first, or put the line below [GROUP:vars]";
        return Err(Wrong::new("a variable stands where a host's name belongs", next));
    }
    if pattern == "---" {
        return Err(super::inventory::yaml());
    }
    let (name, port) = port(pattern)?;
    if name.parse::<IpAddr>().is_ok() {
        let names = vec![name.to_owned()];
        return Ok(Hosts { names, port });
    }
    let names = expanded(name)?;
    let fits = |name: &String| {
        let inner = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(inner)
    };
    match pattern.len() <= MOST_BYTES && names.iter().all(fits) {
        true => Ok(Hosts { names, port }),
        false => Err(Wrong::new(
            "a host's name is not one",
            "letters, digits and . _ -, or an IP address; a user goes into ansible_user=USER",
        )),
    }
}

/// Splits a port off: `NAME:PORT`, or `[ADDRESS]:PORT`.
fn port(pattern: &str) -> Result<(&str, Option<u16>), Wrong> {
    if pattern.parse::<IpAddr>().is_ok() {
        return Ok((pattern, None));
    }
    // A colon between brackets belongs to a range or an address.
    let mut depth = 0_i32;
    let mut colons = pattern.char_indices().filter(|(_, c)| {
        depth += i32::from(*c == '[') - i32::from(*c == ']');
        *c == ':' && depth <= 0
    });
    let (first, more) = (colons.next(), colons.next().is_some());
    let Some((at, _)) = first else {
        return Ok((pattern, None));
    };
    let (name, number) = (&pattern[..at], &pattern[at + 1..]);
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number
        .parse::<u16>()
        .ok()
        .filter(|number| digits && !more && *number > 0);
    let Some(number) = number else {
        let next = "a port is 1 to 65535, as in NAME:2222; an IPv6 address with a port is [ADDRESS]:2222";
        return Err(Wrong::new("what follows the : is not a port", next));
    };
    let inner = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let address = inner.filter(|inner| inner.parse::<IpAddr>().is_ok());
    Ok((address.unwrap_or(name), Some(number)))
}

/// Every name that a pattern with ranges stands for.
fn expanded(pattern: &str) -> Result<Vec<String>, Wrong> {
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some((literal, after)) = rest.split_once('[') {
        let open = || Wrong::new("a range has no closing bracket", "write it as pi[1:3]");
        let (inner, after) = after.split_once(']').ok_or_else(open)?;
        let all = range(inner, names.len())?;
        names = names
            .iter()
            .flat_map(|name| all.iter().map(move |one| format!("{name}{literal}{one}")))
            .collect();
        rest = after;
    }
    for name in &mut names {
        name.push_str(rest);
    }
    Ok(names)
}

/// The members of `1:3`, `01:10:2` or `a:c`, of which each of `times` names gets one.
fn range(inner: &str, times: usize) -> Result<Vec<String>, Wrong> {
    let wrong = |found: &str| Wrong::new(found, "write a range as [1:3], [01:10:2] or [a:c]");
    let parts: Vec<&str> = inner.split(':').collect();
    let (first, last, step) = match parts.as_slice() {
        [first, last] => (*first, *last, 1),
        [first, last, step] => {
            let step = step.parse::<u32>().ok().filter(|step| *step > 0);
            (
                *first,
                *last,
                step.ok_or_else(|| wrong("the step of a range is not a number from 1"))?,
            )
        }
        _ => return Err(wrong("a range is not BEGIN:END or BEGIN:END:STEP")),
    };
    let first = if first.is_empty() { "0" } else { first };
    let ends = number(first).zip(number(last)).or(letter(first).zip(letter(last)));
    let (begin, end) = ends.ok_or_else(|| wrong("a range is not between two numbers, or two letters"))?;
    let padded = first.len() > 1 && first.starts_with('0');
    if padded && first.len() != last.len() {
        return Err(wrong(
            "the numbers of a range with leading zeroes have different lengths",
        ));
    }
    if begin > end {
        return Err(wrong("a range ends before it begins"));
    }
    if ((end - begin) / step + 1) as usize > MOST_HOSTS / times {
        return Err(many());
    }
    let name = |at: u32| match letter(first) {
        Some(_) => LETTERS.chars().nth(at as usize).map_or_else(String::new, String::from),
        None => format!("{at:0width$}", width = if padded { first.len() } else { 0 }),
    };
    Ok((begin..=end).step_by(step as usize).map(name).collect())
}

pub(super) fn many() -> Wrong {
    let found = format!("there are more than {MOST_HOSTS} hosts");
    Wrong::new(found, "make a smaller inventory, with the nodes alone")
}

/// In the order in which Ansible counts them.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn letter(text: &str) -> Option<u32> {
    let one = text.len() == 1 && text.is_ascii();
    let at = LETTERS.find(text).filter(|_| one)?;
    u32::try_from(at).ok()
}

fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= 9;
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_the_hosts_that_ansible_sees() {
        for (pattern, names, port) in [
            ("pi1", &["pi1"][..], None),
            ("pi1:2222", &["pi1"], Some(2222)),
            ("pi[1:3]", &["pi1", "pi2", "pi3"], None),
            ("pi[01:03:2]-x:22", &["pi01-x", "pi03-x"], Some(22)),
            ("pi[:1]", &["pi0", "pi1"], None),
            ("r[a:b]p[1:2]", &["rap1", "rap2", "rbp1", "rbp2"], None),
            ("[1:2]pi", &["1pi", "2pi"], None),
            ("10.10.80.5[0:1]", &["10.10.80.50", "10.10.80.51"], None),
            ("2001:db8::5", &["2001:db8::5"], None),
            ("[2001:db8::5]:22", &["2001:db8::5"], Some(22)),
            ("pi1.home.lan", &["pi1.home.lan"], None),
        ] {
            let found = hosts(pattern).unwrap();
            assert_eq!(
                (found.names.as_slice(), found.port),
                (
                    &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()[..],
                    port
                ),
                "{pattern}"
            );
        }
    }

    #[test]
    fn a_bad_pattern_is_refused() {
        for pattern in [
            "",
            "-pi",
            "pi@home",
            "pi\u{fc}",
            "ansible_password=hunter2",
            "pi:",
            "pi:0",
            "pi:65536",
            "pi:x",
            "pi:1:2",
            "2001:db8::5:22:",
            "pi[1:3",
            "pi1:3]",
            "pi[]",
            "pi[3]",
            "pi[3:1]",
            "pi[1:3:0]",
            "pi[01:3]",
            "pi[a:3]",
            "pi[aa:bb]",
            "pi[0:1000]",
            "pi[0:99][0:99]",
            "pi[1:9999999999]",
        ] {
            assert!(hosts(pattern).is_err(), "{pattern}");
        }
        assert!(hosts(&"a".repeat(256)).is_err());
        assert_eq!(hosts("pi[0:999]").unwrap().names.len(), 1000);
    }
}
