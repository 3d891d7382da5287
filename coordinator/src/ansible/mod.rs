//! Makes a heeler.toml of an Ansible inventory in the INI form.
//!
//! Pure: bytes in; a [`Fleet`] and a report, or all mistakes out. The file is read by the rules of ansible-core's `ini`
//! inventory plugin. A variable's value may be a secret: it leaves this module in heeler.toml alone, and only when the
//! rule of its key accepts it. The report names variables, and a mistake does not quote its line.

mod fleet;
mod groups;
mod inventory;
mod lan;
mod meaning;
mod mistake;
mod notes;
mod pattern;
mod text;
mod value;
mod words;

pub(crate) use fleet::Fleet;
pub(crate) use mistake::Mistake;

/// Largest inventory, in bytes: enough for thousands of lines.
pub(crate) const MOST_BYTES: usize = 256 << 10;
/// Longest line, in bytes.
const MOST_LINE_BYTES: usize = 4096;
/// Most hosts: a fleet is smaller.
const MOST_HOSTS: usize = 1000;
/// Most groups.
const MOST_GROUPS: usize = 500;
/// Most variables.
const MOST_VARIABLES: usize = 2000;
/// Most times that hosts are named, over all groups.
const MOST_MENTIONS: usize = 10_000;
/// Most mistakes that are reported.
const MOST_MISTAKES: usize = 20;

/// Reads an inventory. `beside` are the files and folders next to it from which Ansible takes more variables. Its
/// error: the first mistakes, in the order of the file.
pub(crate) fn read(bytes: &[u8], beside: &[&str]) -> Result<Fleet, Vec<Mistake>> {
    let inventory = inventory::parse(bytes)?;
    fleet::of(&inventory, beside)
}

#[cfg(test)]
mod tests;
