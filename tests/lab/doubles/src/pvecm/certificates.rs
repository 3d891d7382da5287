//! `pvecm updatecerts`: a node's certificate, and the keys with which root moves between nodes.

use std::fs;
use std::os::unix::fs::symlink;

use crate::arguments::Arguments;
use crate::call::{Call, Fault};
use crate::program;
use crate::pvesh::digest;

const KEYS: &str = "/etc/pve/priv/authorized_keys";
const HOSTS: &str = "/etc/pve/priv/known_hosts";
const CIPHERS: &str = "Ciphers aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com,\
                       chacha20-poly1305@openssh.com\n";

pub fn update(call: &mut Call, arguments: &Arguments) -> Result<(), Fault> {
    let is_forced = arguments.is_set("force");
    let is_missing = !call
        .place(&format!("/etc/pve/nodes/{}/pve-ssl.pem", call.node))
        .exists();
    if !is_forced && !is_missing {
        return Ok(());
    }
    if !arguments.is_set("silent") {
        call.out += "(re)generate node files\n";
        if is_forced {
            call.out += "generate new node certificate\n";
        }
    }
    keys(call)?;
    write(call)
}

/// A node's folders and certificate; the double's certificate is its name.
pub fn write(call: &Call) -> Result<(), Fault> {
    let node = format!("/etc/pve/nodes/{}", call.node);
    for folder in ["lxc", "openvz", "priv", "qemu-server"] {
        let made = call.make_folder(&format!("{node}/{folder}"));
        made.map_err(|e| Fault::died(format!("unable to create folder - {e}")))?;
    }
    for (file, text) in [
        (
            "lrm_status",
            "{\"mode\":\"active\",\"results\":{},\"state\":\"wait_for_agent_lock\"}".to_owned(),
        ),
        ("pve-ssl.key", "the double has no key\n".to_owned()),
        ("pve-ssl.pem", format!("certificate of {}\n", call.node)),
        ("ssh_known_hosts", host_key(call)),
    ] {
        call.write(&format!("{node}/{file}"), &text)?;
    }
    Ok(())
}

/// 32 bytes in the form of a certificate's fingerprint; the switch `fingerprint` sets a recorded one.
pub fn fingerprint(call: &Call, node: &str) -> String {
    let own = if node == call.node {
        call.switch("fingerprint")
    } else {
        None
    };
    own.unwrap_or_else(|| {
        let text = digest::of(node.as_bytes()) + &digest::of(node.to_uppercase().as_bytes());
        let bytes = text.to_uppercase();
        let pairs = bytes.as_bytes().chunks(2).take(32);
        pairs
            .map(|two| String::from_utf8_lossy(two).into_owned())
            .collect::<Vec<_>>()
            .join(":")
    })
}

/// Root may log in, its keys are the cluster's keys, and every member's host key is known.
pub fn prepare_ssh(call: &Call) -> Result<(), Fault> {
    let sshd = "/etc/ssh/sshd_config";
    if let Some(text) = call.read(sshd) {
        let open = text.replace("#PermitRootLogin prohibit-password", "PermitRootLogin yes");
        call.write_here(sshd, &open)?;
    }
    keys(call)?;
    merge(call, HOSTS, &host_key(call))?;
    if call.place("/etc/ssh").exists() {
        let _ = fs::remove_file(call.place("/etc/ssh/ssh_known_hosts"));
        let _ = symlink(HOSTS, call.place("/etc/ssh/ssh_known_hosts"));
    }
    Ok(())
}

/// Root's own key, which all members accept.
fn keys(call: &Call) -> Result<(), Fault> {
    if !call.place("/root/.ssh/config").exists() {
        call.write_here("/root/.ssh/config", CIPHERS)?;
    }
    if !call.place("/root/.ssh/id_rsa").exists() {
        let key = call.place("/root/.ssh/id_rsa").to_string_lossy().into_owned();
        program::run(
            call,
            "ssh-keygen",
            &["-q", "-t", "rsa", "-b", "4096", "-N", "", "-f", &key],
        );
    }
    link(call, "/root/.ssh/authorized_keys", KEYS)?;
    merge(call, KEYS, &call.read("/root/.ssh/id_rsa.pub").unwrap_or_default())
}

/// What stood in the file before goes into the cluster's file.
fn link(call: &Call, path: &str, target: &str) -> Result<(), Fault> {
    let place = call.place(path);
    if place.is_symlink() {
        return Ok(());
    }
    let old = call.read(path).unwrap_or_default();
    merge(call, target, &old)?;
    let _ = fs::remove_file(&place);
    symlink(target, &place).map_err(|e| Fault::died(format!("unable to link {path} - {e}")))
}

/// Adds lines that are not there yet, after an empty first line.
fn merge(call: &Call, path: &str, more: &str) -> Result<(), Fault> {
    let mut text = call.read(path).unwrap_or_else(|| "\n".to_owned());
    for line in more.lines().filter(|line| !line.is_empty()) {
        if !text.lines().any(|known| known == line) {
            text += &format!("{line}\n");
        }
    }
    call.write(path, &text)
}

fn host_key(call: &Call) -> String {
    let key = call.read("/etc/ssh/ssh_host_rsa_key.pub").unwrap_or_default();
    let mut words = key.split_whitespace();
    match (words.next(), words.next()) {
        (Some(kind), Some(key)) => format!("{} {kind} {key}\n", call.node),
        _ => String::new(),
    }
}
