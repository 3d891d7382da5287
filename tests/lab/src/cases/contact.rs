//! First contact with machines that make it difficult.

use std::io::{BufRead as _, BufReader, Write as _};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{Case, Cost, L, R, Run, X};
use crate::fleet::Fleet;
use crate::machine::Network;
use crate::node::NodeHandle;
use crate::run::Finished;
use crate::seed::PASSWORD;

pub(super) const CASES: &[Case] = &[
    Case {
        on: L,
        name: "first contact: a wrong sudo password is tried once and changes nothing",
        cost: Cost::Seconds(20),
        run: Run::Fleet(wrong_password),
    },
    Case {
        on: L,
        name: "first contact: a full disk is refused before anything is written",
        cost: Cost::Seconds(10),
        run: Run::Fleet(full_disk),
    },
    Case {
        on: L,
        name: "first contact: a 32-bit or an older system is refused",
        cost: Cost::Seconds(40),
        run: Run::Fleet(other_system),
    },
    Case {
        on: L,
        name: "first contact: a restarting sshd is waited for",
        cost: Cost::Seconds(80),
        run: Run::Fleet(restarting_sshd),
    },
    Case {
        on: L,
        name: "first contact: run twice, nothing changes on the node",
        cost: Cost::Seconds(30),
        run: Run::Fleet(run_twice),
    },
    Case {
        on: L,
        name: "first contact: a missing file is put back, and only it",
        cost: Cost::Seconds(50),
        run: Run::Fleet(repair),
    },
    Case {
        on: R,
        name: "first contact: a host that goes away in the middle is taken on later",
        cost: Cost::Seconds(110),
        run: Run::Fleet(gone_in_the_middle),
    },
    Case {
        on: X,
        name: "first contact: sudo without a password gets none",
        cost: Cost::Seconds(70),
        run: Run::Fleet(no_password),
    },
    Case {
        on: X,
        name: "first contact: a changed host key stops it until a person has seen both",
        cost: Cost::Seconds(20),
        run: Run::Fleet(changed_key),
    },
];

/// Every file that first contact could write, with its hash and time.
const TRACES: &str = "find /usr/local /etc/systemd/system /etc/heeler /var/lib/heeler-agent/identity -type f \
     -printf '%p %T@ %m ' -exec sha256sum {} ';' 2>/dev/null | sort | sha256sum; \
     systemctl show -p ExecMainPID -p ExecMainStartTimestampMonotonic heeler-agent.service";

fn refused(done: &Finished, words: &str) -> Result<()> {
    let said = done.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    ensure!(
        done.code == 1 && said.contains(words),
        "ended with {}, without {words:?}: {}{}",
        done.code,
        done.stdout,
        done.stderr
    );
    Ok(())
}

/// Asserts that `add` is refused with `words` and writes nothing.
fn refuses(fleet: &Fleet<'_>, node: NodeHandle<'_>, password: &str, words: &str) -> Result<()> {
    let before = node.must(TRACES)?;
    refused(&fleet.add(node.name(), password, &[])?, words)?;
    ensure!(node.must(TRACES)? == before, "{} was changed", node.name());
    Ok(())
}

fn wrong_password(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = fleet.lab().node(L)?;
    refuses(
        fleet,
        node,
        "not the password",
        "the sudo password for k8sctl-pi5l was wrong",
    )
}

fn full_disk(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = fleet.lab().node(L)?;
    node.must("free=$(df -B1 --output=avail / | tail -n 1); fallocate -l $((free - 20000000)) /root/full; sync")?;
    let outcome = refuses(fleet, node, PASSWORD, "MiB free and 64 are needed");
    node.must("rm /root/full")?;
    outcome
}

fn other_system(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = fleet.lab().node(L)?;
    let lies = [
        (
            "/usr/bin/uname",
            "#!/bin/sh\necho armv7l",
            "its kernel is armv7l: flash the 64-bit Raspberry Pi OS",
        ),
        ("/usr/bin/getconf", "#!/bin/sh\necho 32", "its programs are 32-bit"),
        (
            "/etc/os-release",
            "ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"",
            "Debian 13",
        ),
    ];
    for (path, text, words) in lies {
        node.must(&format!(
            "printf '%s\\n' '{text}' > /opt/lie; chmod 755 /opt/lie; mount --bind /opt/lie {path}"
        ))?;
        let outcome = refuses(fleet, node, PASSWORD, words);
        node.must(&format!("umount {path}"))?;
        outcome.with_context(|| path.to_owned())?;
    }
    Ok(())
}

fn restarting_sshd(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = fleet.lab().node(L)?;
    node.must("systemd-run --quiet sh -c 'systemctl stop ssh.socket ssh.service; sleep 12; systemctl start ssh.service'; sleep 1")
        .or_else(|error| if node.root("true")?.code == 255 { Ok(String::new()) } else { Err(error) })?;
    let added = fleet.add(L, PASSWORD, &[])?;
    let said = added.stderr.clone();
    added.success()?;
    ensure!(said.contains("Connection refused"), "sshd was never away: {said}");
    node.must("systemctl is-active heeler-agent.service; ! [ -e /etc/heeler/token ]")?;
    let toml = std::fs::read_to_string(fleet.config().join("heeler.toml"))?;
    ensure!(
        toml.contains("S6XNNS0W100001") && toml.contains("# "),
        "heeler.toml lacks the node or its comments: {toml}"
    );
    Ok(())
}

fn run_twice(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = fleet.lab().node(L)?;
    fleet.have(L)?;
    let before = node.must(TRACES)?;
    let said = fleet.add(L, PASSWORD, &[])?.success()?;
    ensure!(said.contains("all was correct, nothing changed"), "{said}");
    let after = node.must(TRACES)?;
    ensure!(after == before, "before {before}\nafter {after}");
    Ok(())
}

fn repair(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = fleet.lab().node(L)?;
    fleet.have(L)?;
    let key = node.must("sha256sum /var/lib/heeler-agent/identity/key.pem /usr/local/sbin/heeler-agent")?;
    node.must("rm /etc/systemd/system/heeler-agent.service")?;
    let done = fleet.add(L, PASSWORD, &[])?;
    let said = done.stderr.clone();
    done.success()?;
    ensure!(
        said.matches("writing /").count() == 1 && said.contains("heeler-agent.service"),
        "{said}"
    );
    ensure!(
        node.must("sha256sum /var/lib/heeler-agent/identity/key.pem /usr/local/sbin/heeler-agent")? == key,
        "more was changed"
    );
    Ok(())
}

fn gone_in_the_middle(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = fleet.lab().node(R)?;
    let mut child = fleet.start_add(R, &[])?;
    child
        .stdin
        .take()
        .context("no stdin")?
        .write_all(format!("{PASSWORD}\n").as_bytes())?;
    let mut said = BufReader::new(child.stderr.take().context("no stderr")?);
    let mut line = String::new();
    while !line.contains("writing") {
        line.clear();
        ensure!(said.read_line(&mut line)? > 0, "it ended before it wrote");
    }
    node.link(Network::Lan, false)?;
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut said, &mut rest)?;
    let code = child.wait()?.code();
    node.link(Network::Lan, true)?;
    node.wait_ssh()?;
    ensure!(
        code == Some(1) && rest.contains("Nothing is half-installed"),
        "ended with {code:?}: {rest}"
    );
    node.must("[ -z \"$(find /usr/local/sbin -name heeler-agent -size -1000k)\" ]")?;
    fleet.add(R, PASSWORD, &[])?.success().map(drop)
}

fn no_password(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = fleet.lab().node(X)?;
    node.must("echo 'pi ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/zz-case; chmod 440 /etc/sudoers.d/zz-case")?;
    let agents = fleet.folder().join("agents").display().to_string();
    let outcome = fleet
        .must(&["node", "add", X, "--yes", "--agent-dir", &agents])
        .map(drop);
    node.must("rm /etc/sudoers.d/zz-case")?;
    outcome
}

fn changed_key(fleet: &mut Fleet<'_>) -> Result<()> {
    let node = fleet.lab().node(X)?;
    fleet.have(X)?;
    let keys = "/etc/ssh/ssh_host_*";
    node.must(&format!(
        "mkdir -p /root/keys; cp -a {keys} /root/keys; rm {keys}; ssh-keygen -A >/dev/null; systemctl restart ssh"
    ))?;
    node.wait_ssh()?;
    let outcome = (|| {
        refused(
            &fleet.add(X, PASSWORD, &[])?,
            "shows another SSH host key than at first contact",
        )?;
        let asked = fleet.add(X, PASSWORD, &["--reflashed"])?;
        ensure!(
            asked.stderr.matches("SHA256:").count() >= 2,
            "both keys are not shown: {}",
            asked.stderr
        );
        refused(&asked, "was not confirmed")
    })();
    node.must(&format!(
        "cp -a /root/keys/* /etc/ssh/; ls {keys} >/dev/null; systemctl restart ssh"
    ))?;
    node.wait_ssh()?;
    thread::sleep(Duration::from_secs(1));
    outcome
}
