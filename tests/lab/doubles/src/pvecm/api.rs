//! A join with root's password: the double looks at the member's machine instead of asking its API.

use std::io::{BufRead, IsTerminal, Write};

use super::finish::finish;
use super::links::Links;
use super::{KEY, certificates, nodes};
use crate::call::{Call, Fault};
use crate::commands::Found;

const NO_ANSWER: &str = "Use of uninitialized value $answer in pattern match (m//) at \
                         /usr/share/perl5/PVE/APIClient/LWP.pm line 256, <STDIN> line 1.\n";

/// Root's password on the member, from stdin; a terminal is asked.
pub fn password(call: &mut Call, host: &str) -> Result<String, Fault> {
    if std::io::stdin().is_terminal() {
        call.out += &format!("Please enter superuser (root) password for '{host}': ");
        call.flush();
    }
    let mut line = String::new();
    match std::io::stdin().lock().read_line(&mut line) {
        Ok(read) if read > 0 => Ok(line.trim_end().to_owned()),
        _ => Err(Fault::died("EOF while reading password")),
    }
}

pub fn join(call: &mut Call, host: &str, password: &str, found: &Found, links: &Links) -> Result<(), Fault> {
    call.out += &format!("Establishing API connection with host '{host}'\n");
    let member = call.name_of(host).and_then(|name| call.neighbour(&name));
    let refused = || Fault::died(format!("500 Can't connect to {host}:8006 (Connection refused)"));
    let mut member = member.ok_or_else(refused)?;
    let shown = certificates::fingerprint(&member, &member.node);
    match found.arguments.get("fingerprint") {
        Some(known) if *known == shown => {}
        Some(_) => return Err(Fault::died(format!("fingerprint '{shown}' not verified, abort!"))),
        None => ask(call, host, &shown)?,
    }
    if member.switch("root-password").is_none_or(|right| right != password) {
        call.wait(3);
        return Err(Fault::died("401 authentication failure"));
    }
    call.out += "Login succeeded.\ncheck cluster join API version\nRequest addition of this node\n";
    let conf = nodes::join(&mut member, &call.node, links, &found.arguments)?;
    call.out += &member.out;
    call.out += "Join request OK, finishing setup locally\n";
    let key = member.read(KEY).unwrap_or_default();
    finish(call, &key, &conf)
}

fn ask(call: &mut Call, host: &str, shown: &str) -> Result<(), Fault> {
    call.out += &format!(
        "The authenticity of host '{host}' can't be established.\nX509 SHA256 key fingerprint is {shown}.\n\
         Are you sure you want to continue connecting (yes/no)? "
    );
    call.flush();
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer).unwrap_or(0);
    if read == 0 {
        call.out += NO_ANSWER;
    }
    if answer.trim() == "yes" {
        return Ok(());
    }
    Err(Fault::died("Fingerprint not verified, abort!"))
}
