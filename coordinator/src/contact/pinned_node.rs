use std::path::Path;
use std::time::Duration;

use super::add::Target;
use super::hostkey::{Fingerprint, pin_file, pin_line};
use super::judge::{Judgement, all_the_same, judge};
use super::probe::{self, Probe};
use super::ssh::{Answer, Ssh, Trust, passes};
use super::{ContactError, Dialogue, Result};
use crate::clock::Clock;

/// How long a login that is cut off is tried again.
const PATIENCE: Duration = Duration::from_secs(2 * 60);
/// Wait between two tries.
const PAUSE: Duration = Duration::from_secs(5);
/// A script that only shows that the login runs scripts.
const HELLO: &str = r#"printf '\n%s begin\n' "$0""#;

/// A node that may be added, with its host key pinned.
pub struct PinnedNode {
    pub probe: Probe,
    pub host_key: Fingerprint,
}

/// Checks the host key against `pinned`, waits for the end of the first boot, and decides whether the node can be
/// added. Afterwards `ssh` accepts only the pinned key. Fails when the login fails, the host key differs and nobody
/// confirms it, or the node cannot be added.
pub async fn pin_node(
    ssh: &mut Ssh,
    pinned: Option<Fingerprint>,
    target: &Target,
    clock: &dyn Clock,
    person: &mut dyn Dialogue,
) -> Result<PinnedNode> {
    let pin = pin_file(&target.state, &ssh.node);
    let scratch = tempfile::tempdir().map_err(|source| ContactError::State {
        path: "a temporary folder".to_owned(),
        source,
    })?;
    // A key pinned on this machine counts even if the coordinator no longer knows the node.
    let pinned = pinned.or_else(|| Fingerprint::in_file(&pin));
    if let Some(pinned) = &pinned {
        if target.reflashed {
            agree(ssh, &scratch.path().join("shown"), pinned, person).await?;
        } else if pin.exists() {
            ssh.trust = Trust::Pinned(pin.clone());
            ssh.known = true;
        }
    }
    let pinned = pinned.as_ref().filter(|_| !target.reflashed);
    let (probe, host_key) = wait_until_fit(ssh, pinned, target, clock, person).await?;
    let line = line_to_pin(ssh, scratch.path(), &host_key, &probe, person).await?;
    write_if_other(&pin, &line)?;
    ssh.trust = Trust::Pinned(pin);
    Ok(PinnedNode { probe, host_key })
}

/// The known_hosts line for the key that ssh has accepted. The key comes from the file that proved it or from the
/// node's own files. If the node keeps its host keys elsewhere, ssh records the shown key once more.
async fn line_to_pin(
    ssh: &Ssh,
    scratch: &Path,
    accepted: &Fingerprint,
    probe: &Probe,
    person: &mut dyn Dialogue,
) -> Result<String> {
    if let Trust::Pinned(file) = &ssh.trust
        && Fingerprint::in_file(file).as_ref() == Some(accepted)
        && let Ok(line) = std::fs::read_to_string(file)
    {
        return Ok(line);
    }
    if let Some(line) = pin_line(&ssh.node, accepted, &probe.host_keys) {
        return Ok(line);
    }
    let file = scratch.join("again");
    let shown = write_down(ssh, &file, person).await?;
    if shown != *accepted {
        return Err(ContactError::Node {
            node: ssh.node.clone(),
            problem: format!(
                "it showed first the host key {accepted}, then {shown}: another machine may intercept \
                the connection"
            ),
        });
    }
    std::fs::read_to_string(&file).map_err(|source| ContactError::State {
        path: file.display().to_string(),
        source,
    })
}

/// Lets ssh write the shown host key into `file`. Only the file is trusted: the node can print text that looks like
/// ssh's.
async fn write_down(ssh: &Ssh, file: &Path, person: &mut dyn Dialogue) -> Result<Fingerprint> {
    let asking = Ssh {
        trust: Trust::Record(file.to_path_buf()),
        ..ssh.clone()
    };
    run_patiently(&asking, HELLO, person).await?;
    Fingerprint::in_file(file).ok_or_else(|| ssh.lost("ssh did not save the host key"))
}

/// Shows the old and the new key of a node that was flashed again, and asks.
async fn agree(ssh: &mut Ssh, known: &Path, pinned: &Fingerprint, person: &mut dyn Dialogue) -> Result<()> {
    let shown = write_down(ssh, known, person).await?;
    if shown != *pinned {
        let node = &ssh.node;
        person.say(&format!(
            "host key of {node} at first contact  {pinned}\nhost key that {node} shows now       {shown}"
        ));
        if !person
            .confirm(&format!("Is that the key of the freshly flashed {node}?"))
            .await
        {
            return Err(ContactError::Declined {
                what: format!("the new host key of {node}"),
            });
        }
    }
    ssh.trust = Trust::Pinned(known.to_path_buf());
    Ok(())
}

async fn wait_until_fit(
    ssh: &Ssh,
    pinned: Option<&Fingerprint>,
    target: &Target,
    clock: &dyn Clock,
    person: &mut dyn Dialogue,
) -> Result<(Probe, Fingerprint)> {
    let mut told = String::new();
    let mut waited = Duration::ZERO;
    loop {
        let answer = run_patiently(ssh, probe::SCRIPT, person).await?;
        let accepted = match &ssh.trust {
            Trust::Pinned(file) => Fingerprint::in_file(file),
            _ => answer.host_key.clone(),
        };
        let accepted = accepted.ok_or_else(|| ssh.lost("ssh did not show the host key"))?;
        if let Some(pinned) = pinned.filter(|pinned| **pinned != accepted) {
            return Err(changed(ssh, pinned, &accepted));
        }
        let (why, past, patience) = match Probe::parse(answer.lines.iter().map(String::as_str)) {
            None => ("the login was cut off".to_owned(), answer.words, PATIENCE),
            Some(probe) => match judge(&probe, clock.now_ms() / 1000, &target.skip) {
                Judgement::Ready => return Ok((probe, accepted)),
                Judgement::Unfit(reasons) => {
                    return Err(ContactError::Unfit {
                        node: ssh.node.clone(),
                        reasons,
                    });
                }
                Judgement::NotYet(check, why) => (why, all_the_same(check), check.patience()),
            },
        };
        if waited >= patience {
            return Err(ContactError::NeverReady {
                node: ssh.node.clone(),
                minutes: waited.as_secs() / 60,
                why,
                past,
            });
        }
        if why != told {
            person.say(&format!(
                "{}: waiting {} minutes at most: {why}. {past}",
                ssh.node,
                patience.as_secs() / 60
            ));
            told = why;
        }
        tokio::time::sleep(PAUSE).await;
        waited += PAUSE;
    }
}

/// Runs `script`, and again for two minutes while the node's sshd restarts.
async fn run_patiently(ssh: &Ssh, script: &str, person: &mut dyn Dialogue) -> Result<Answer> {
    let mut tries = 0;
    loop {
        let answer = ssh.run(script, person).await?;
        if answer.code != 255 || !answer.lines.is_empty() {
            return Ok(answer);
        }
        if let (Trust::Pinned(pin), Some(shown)) = (&ssh.trust, &answer.host_key)
            && answer.words.contains("verification failed")
        {
            let pinned = Fingerprint::in_file(pin);
            return Err(changed(ssh, &pinned.unwrap_or_else(|| shown.clone()), shown));
        }
        if tries == 24 || !passes(&answer.words) {
            let complaint = answer.words.lines().last().unwrap_or("ssh printed nothing");
            return Err(ssh.lost(complaint));
        }
        if tries == 0 {
            person.say(&format!("{}: not reached; trying again for two minutes", ssh.node));
        }
        tries += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

fn changed(ssh: &Ssh, pinned: &Fingerprint, shown: &Fingerprint) -> ContactError {
    ContactError::HostKeyChanged {
        node: ssh.node.clone(),
        pinned: pinned.to_string(),
        shown: shown.to_string(),
    }
}

fn write_if_other(path: &Path, text: &str) -> Result<()> {
    let failed = |source| ContactError::State {
        path: path.display().to_string(),
        source,
    };
    if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    crate::pki::write_bytes(path, text.as_bytes()).map_err(|error| failed(std::io::Error::other(error)))
}

#[cfg(test)]
mod tests;
