//! The double of `pmxcfs`: `/etc/pve` is a folder that is bound there, so that it is a mount point. Whoever starts it
//! unmounts it to stop it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::call::{Call, Fault};
use crate::corosync::view::View;
use crate::corosync::{self, members};
use crate::program;
use crate::pvecm;

/// The folder that is bound to `/etc/pve`.
pub const TREE: &str = "/var/lib/pve-cluster/tree";
const FOLDERS: [&str; 7] = ["firewall", "ha", "mapping", "nodes", "priv", "sdn", "virtual-guest"];
const FILES: [&str; 5] = [
    ".version",
    "authkey.pub",
    "pve-root-ca.pem",
    "pve-www.key",
    "vzdump.cron",
];
/// Folders of this node, and what leads to them.
const LINKS: [(&str, &str); 4] = [
    ("local", ""),
    ("lxc", "/lxc"),
    ("openvz", "/openvz"),
    ("qemu-server", "/qemu-server"),
];

/// Starts it; `-l` without the cluster.
pub fn run(call: &mut Call, words: &[String]) -> Result<(), Fault> {
    let is_local = words.first().is_some_and(|word| word == "-l");
    let node = call.node.clone();
    let address = call
        .address()
        .filter(|address| !address.starts_with("127.") && address != "::1");
    let unknown = || {
        let problem = "to a non-loopback IP address - missing entry in '/etc/hosts' or DNS?";
        Fault::died(format!("[main] crit: Unable to resolve node name '{node}' {problem}"))
    };
    let address = address.ok_or_else(unknown)?;
    call.err += &format!("[main] notice: resolved node name '{node}' to '{address}' for default node IP address\n");
    if is_local && call.place(&format!("{TREE}/corosync.conf")).exists() {
        call.err += "[main] notice: forcing local mode (although corosync.conf exists)\n";
    }
    let left = "[main] notice: exit proxmox configuration filesystem (-1)";
    if call.place("/etc/pve/.version").exists() {
        call.wait(10);
        call.err += "[main] notice: unable to acquire pmxcfs lock - trying again\n";
        call.err += "[main] crit: unable to acquire pmxcfs lock: Resource temporarily unavailable\n";
        return Err(Fault::died(left));
    }
    if fs::read_dir(call.place("/etc/pve")).is_ok_and(|mut entries| entries.next().is_some()) {
        call.err += "fuse: mountpoint is not empty\n\
                     fuse: if you are sure this is safe, use the 'nonempty' mount option\n\
                     [main] crit: fuse_mount error: File exists\n";
        return Err(Fault::died(left));
    }
    let mounted = fill(call).and_then(|()| mount(call));
    mounted.map_err(|e| Fault::died(format!("[main] crit: fuse_mount error: {e}\n{left}")))?;
    if is_local {
        return Ok(());
    }
    if let Some(conf) = call.read(corosync::CONF).filter(|_| !call.place(pvecm::CONF).exists()) {
        call.write_here(pvecm::CONF, &conf)?;
    }
    follow(call).map_err(|e| Fault::died(format!("[main] crit: {e}\n{left}")))
}

/// Becomes a member as corosync sees it: what a quorum has is taken over.
pub fn follow(call: &Call) -> std::io::Result<()> {
    let online = View::of(call).filter(View::is_quorate);
    let others = online
        .iter()
        .flat_map(View::online)
        .filter(|node| node.name != call.node);
    let others = others.filter_map(|node| call.neighbour(&node.name));
    if let Some(other) = others.into_iter().find(|m| m.place("/etc/pve/.version").exists()) {
        call.copy_from(&other)?;
    }
    members::refresh(call);
    Ok(())
}

/// Makes what is missing.
fn fill(call: &Call) -> std::io::Result<()> {
    let tree = call.place(TREE);
    fs::create_dir_all(&tree)?;
    // A new member has nothing until it takes over what the others have.
    let is_new = call.place(corosync::CONF).exists() && !tree.join("nodes").exists();
    if !is_new {
        for folder in FOLDERS {
            fs::create_dir_all(tree.join(folder))?;
        }
        for (_, below) in LINKS {
            fs::create_dir_all(tree.join(format!("nodes/{}{below}", call.node)))?;
        }
        fs::set_permissions(tree.join("priv"), fs::Permissions::from_mode(0o700))?;
    }
    for file in FILES.iter().filter(|file| !tree.join(file).exists()) {
        fs::write(tree.join(file), "")?;
    }
    for (link, below) in LINKS {
        let target = format!("nodes/{}{below}", call.node);
        let _ = fs::remove_file(tree.join(link));
        symlink(target, tree.join(link))?;
    }
    members::stand_alone(call)
}

/// Nobody writes below `/etc/pve` without quorum: the mount follows, in a real machine.
pub fn follow_quorum(call: &Call) {
    let known = "/run/pve-doubles/read-only";
    let (is, was) = (call.is_read_only(), call.place(known).exists());
    if is == was || call.has_other_root() || !call.place("/etc/pve/.version").exists() {
        return;
    }
    let options = format!("remount,bind,{}", if is { "ro" } else { "rw" });
    if program::run(call, "mount", &["-o", &options, "/etc/pve"]).code == 0 {
        if is {
            let _ = call.write_here(known, "");
        } else {
            let _ = fs::remove_file(call.place(known));
        }
    }
}

/// Binds the folder; below another root, which needs no rights, a link takes its place.
#[expect(clippy::disallowed_methods, reason = "mount is a program")]
fn mount(call: &Call) -> std::io::Result<()> {
    let (from, to) = (call.place(TREE), call.place("/etc/pve"));
    if call.has_other_root() {
        let _ = fs::remove_dir(&to);
        return symlink(from, to);
    }
    fs::create_dir_all(&to)?;
    let bound = std::process::Command::new("mount")
        .arg("--bind")
        .args([from, to])
        .status()?;
    if bound.success() {
        Ok(())
    } else {
        Err(std::io::Error::other("mount --bind failed"))
    }
}
