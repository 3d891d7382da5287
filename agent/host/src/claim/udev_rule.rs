use super::Claim;
use super::folder::{Found, files};
use super::pattern::{is_pattern, matches};
use crate::facts::Nic;
use crate::{RunError, System, link};

/// Without `/usr/lib`: the distribution's rules do not rename a card that has a name.
const FOLDERS: [&str; 3] = ["/etc/udev/rules.d", "/run/udev/rules.d", "/usr/local/lib/udev/rules.d"];
/// What netplan generates. It is skipped: the netplan file itself is read instead.
const NETPLANS: &str = "/run/udev/rules.d/99-netplan-";

/// The udev rules that give the card another name than Heeler does (udev(7)).
pub(super) async fn claims(host: &dyn System, nic: &Nic) -> Result<Vec<Claim>, RunError> {
    let files = files(host, &FOLDERS, ".rules").await?;
    let others = files.iter().filter(|file| !file.path.starts_with(NETPLANS));
    Ok(others.flat_map(|file| of_file(file, nic)).collect())
}

fn of_file(file: &Found, nic: &Nic) -> Vec<Claim> {
    let mut claims = Vec::new();
    let mut lines = file.text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let mut rule = line.trim().to_owned();
        // A backslash continues the rule on the next line.
        while rule.ends_with('\\') {
            rule.pop();
            rule += lines.next().map_or("", |(_, more)| more.trim());
        }
        if !rule.starts_with('#') && names(&parts(&rule), nic) {
            claims.push(Claim::at(&file.path, &file.text, index + 1, true));
        }
    }
    claims
}

/// One `KEY{attribute}OP"value"`.
struct Part<'t> {
    key: &'t str,
    operator: &'t str,
    value: &'t str,
}

fn parts(rule: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = rule;
    while let Some((before, after)) = rest.split_once('"') {
        let Some((value, next)) = after.split_once('"') else {
            break;
        };
        let before = before.trim_start_matches([',', ' ', '\t']);
        let operator = before.find(['=', '!', ':', '+', '-']).map_or("", |at| &before[at..]);
        parts.push(Part {
            key: before[..before.len() - operator.len()].trim(),
            operator: operator.trim(),
            value,
        });
        rest = next;
    }
    parts
}

/// Whether the rule gives the card another name than Heeler does.
fn names(rule: &[Part<'_>], nic: &Nic) -> bool {
    let gives = |part: &Part<'_>| {
        matches!(part.key, "NAME" | "ENV{ID_NET_NAME}")
            && matches!(part.operator, "=" | ":=")
            && part.value != link::BACKPLANE
    };
    rule.iter().any(gives) && rule.iter().all(|part| allows(part, nic))
}

/// Whether one condition allows the card. A condition that cannot be checked here counts as met.
fn allows(part: &Part<'_>, nic: &Nic) -> bool {
    let not = match part.operator {
        "==" => false,
        "!=" => true,
        _ => return true,
    };
    let any = |text: &str| part.value.split('|').any(|pattern| matches(pattern, text)) != not;
    match part.key {
        "SUBSYSTEM" => any("net"),
        "ACTION" => any("add") || any("move"),
        "ATTR{address}" => any(&nic.mac),
        "ATTR{type}" => any("1"),
        "DRIVERS" | "ENV{ID_NET_DRIVER}" => any(&nic.driver),
        "SUBSYSTEMS" | "ENV{ID_BUS}" => any(&nic.bus),
        // udev has renamed the card since, so the kernel's first name is unknown.
        "KERNEL" => any(&nic.name) || is_pattern(part.value),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        let nic = Nic {
            name: "eth1".into(),
            mac: "00:e0:4c:68:00:01".into(),
            driver: "r8152".into(),
            bus: "usb".into(),
            ..Nic::default()
        };
        let file = Found {
            name: "70-x.rules".into(),
            path: "/etc/udev/rules.d/70-x.rules".into(),
            text: text.into(),
        };
        of_file(&file, &nic).into_iter().map(|claim| claim.line).collect()
    }

    #[test]
    fn a_rule_that_names_the_card_is_found() {
        for rule in [
            "SUBSYSTEM==\"net\", ACTION==\"add\", ATTR{address}==\"00:e0:4c:68:00:01\", NAME=\"lan1\"",
            "SUBSYSTEM==\"net\", ACTION==\"add\", DRIVERS==\"?*\", ATTR{address}==\"00:e0:4c:*\", KERNEL==\"eth*\", NAME=\"eth1\"",
            "ACTION==\"add|change\",SUBSYSTEM==\"net\",SUBSYSTEMS==\"usb\",NAME:=\"usb0\"",
            "SUBSYSTEM==\"net\", \\\n  DRIVERS==\"r8152\", NAME=\"lan%n\"",
            "SUBSYSTEM==\"net\", ENV{ID_NET_NAME}=\"x\"",
        ] {
            assert_eq!(lines(&format!("# first\n{rule}\n")), [2], "{rule}");
        }
    }

    #[test]
    fn rules_of_other_devices_are_left_alone() {
        for rule in [
            "SUBSYSTEM==\"net\", ATTR{address}==\"2c:cf:67:00:00:01\", NAME=\"lan0\"",
            "SUBSYSTEM==\"net\", ATTR{address}==\"00:e0:4c:68:00:01\", NAME=\"enbp0\"",
            "SUBSYSTEM==\"net\", NAME==\"eth1\", RUN+=\"/bin/true\"",
            "SUBSYSTEM==\"net\", DRIVERS==\"macb\", NAME=\"lan0\"",
            "SUBSYSTEM==\"net\", KERNEL==\"eth0\", NAME=\"lan0\"",
            "SUBSYSTEM==\"block\", NAME=\"x\"",
            "ACTION==\"remove\", SUBSYSTEM==\"net\", NAME=\"x\"",
            "# SUBSYSTEM==\"net\", NAME=\"x\"",
            "SUBSYSTEM!=\"net\", NAME=\"x\"",
            "SUBSYSTEM==\"net\", NAME=\"",
        ] {
            assert_eq!(lines(&format!("{rule}\n")), [0; 0], "{rule}");
        }
    }
}
