//! A join over ssh: the key must be known on the member, and the member's host key here.

use super::KEY;
use super::finish::finish;
use super::links::{self, Links};
use crate::call::{Call, Fault};
use crate::corosync;
use crate::program;

pub fn join(call: &mut Call, host: &str, links: &Links) -> Result<(), Fault> {
    let copied = program::run(
        call,
        "ssh-copy-id",
        &["-i", "/root/.ssh/id_rsa", &format!("root@{host}")],
    );
    if copied.code != 0 {
        let code = format!("exit code {}", copied.code);
        let last = copied.err.lines().last().unwrap_or(&code);
        return Err(Fault::died(format!("unable to copy ssh ID: {last}")));
    }
    let mut words = vec!["pvecm", "addnode", &call.node, "--force", "1"];
    let options = links::options(links);
    words.extend(options.iter().map(String::as_str));
    let before = ["-o", "BatchMode=yes"];
    let words: Vec<&str> = [host].into_iter().chain(before).chain(words).collect();
    let added = program::run(call, "ssh", &words);
    let said = added.out + &added.err;
    call.out += &said;
    if added.code != 0 {
        let command = words.join(" ");
        return Err(Fault::died(format!(
            "unable to add node: command failed (ssh {command})"
        )));
    }
    call.out += "copy corosync auth key\n";
    let fetch = |path| {
        let fetched = program::run(call, "ssh", &[host, "-o", "BatchMode=yes", "cat", path]);
        let lost = || Fault::died(format!("can't rsync data from host '{host}'"));
        (fetched.code == 0).then_some(fetched.out).ok_or_else(lost)
    };
    let (key, conf) = (fetch(KEY)?, fetch(corosync::CONF)?);
    finish(call, &key, &conf)
}
