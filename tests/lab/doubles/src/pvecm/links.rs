//! `--link0` to `--link7`: the addresses of a node, each with a priority.

use std::collections::BTreeMap;

use crate::arguments::Arguments;
use crate::call::Fault;
use crate::commands::Found;

/// Address and priority by link number; the priority is empty where none is given.
pub type Links = BTreeMap<u8, (String, String)>;

pub fn read(arguments: &Arguments) -> Links {
    let link = |number: u8| {
        let given = arguments.get(&format!("link{number}"))?;
        let (mut address, mut priority) = (String::new(), String::new());
        for part in given.split(',') {
            match part.split_once('=') {
                Some(("priority", value)) => value.clone_into(&mut priority),
                Some((_, value)) => value.clone_into(&mut address),
                None => part.clone_into(&mut address),
            }
        }
        Some((number, (address, priority)))
    };
    (0..8).filter_map(link).collect()
}

/// Refuses what is no address.
pub fn check(found: &Found) -> Result<Links, Fault> {
    let links = read(&found.arguments);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-');
    let problem = |(number, (address, _)): (&u8, &(String, String))| {
        let wrong = !address.chars().all(fits) || address.is_empty();
        let text = format!(
            "invalid format - format error\nlink{number}.address: invalid format - value does not look like a valid \
             address: {address}\n\n"
        );
        wrong.then(|| (format!("link{number}"), text))
    };
    let problems: Vec<(String, String)> = links.iter().filter_map(problem).collect();
    if problems.is_empty() {
        return Ok(links);
    }
    let problems: Vec<(&str, String)> = problems
        .iter()
        .map(|(name, text)| (name.as_str(), text.clone()))
        .collect();
    Err(found.refuse(&problems))
}

/// The same as options of a command line.
pub fn options(links: &Links) -> Vec<String> {
    let option = |(number, (address, _)): (&u8, &(String, String))| [format!("--link{number}"), address.clone()];
    links.iter().flat_map(option).collect()
}
