use std::path::Path;
use std::time::Duration;

use super::hostkey::{Fingerprint, pin_file, pin_line};
use super::judge::{Judgement, judge};
use super::probe::{self, Probe};
use super::root::quoted;
use super::ssh::{Answer, Ssh, Trust, passes};
use super::{ContactError, Dialogue};
use crate::clock::Clock;

/// A first boot on a slow card takes this long at most.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
const PAUSE: Duration = Duration::from_secs(5);

/// A node that may be taken on, and whose host key is pinned.
pub struct Met {
    /// What it said of itself.
    pub probe: Probe,
    /// The key that it showed.
    pub host_key: Fingerprint,
}

/// Meets the node: proves its host key against `pinned`, waits for the end of its first boot, and decides whether it
/// will do. Afterwards `ssh` trusts the pinned key alone.
pub async fn meet(
    ssh: &mut Ssh,
    state: &Path,
    pinned: Option<Fingerprint>,
    reflashed: bool,
    clock: &dyn Clock,
    person: &mut dyn Dialogue,
) -> Result<Met, ContactError> {
    let pin = pin_file(state, &ssh.node);
    if let Some(pinned) = &pinned {
        let known = pin.with_extension("new");
        if reflashed {
            agree(ssh, &known, pinned, person).await?;
        } else if pin.exists() {
            ssh.trust = Trust::Pinned(pin.clone());
        }
    }
    let (probe, shown) = wait_until_fit(ssh, pinned.as_ref().filter(|_| !reflashed), clock, person).await?;
    let line = pin_line(&ssh.node, &shown, &probe.host_keys).ok_or_else(|| ContactError::Node {
        node: ssh.node.clone(),
        problem: format!(
            "it showed the host key {shown} and has no such key in /etc/ssh: does something stand between?"
        ),
    })?;
    write_if_other(&pin, &line)?;
    ssh.trust = Trust::Pinned(pin);
    Ok(Met { probe, host_key: shown })
}

/// Shows both keys of a node that was flashed again, and lets a person decide.
async fn agree(
    ssh: &mut Ssh,
    known: &Path,
    pinned: &Fingerprint,
    person: &mut dyn Dialogue,
) -> Result<(), ContactError> {
    let _ = std::fs::remove_file(known);
    let asking = Ssh {
        trust: Trust::Record(known.to_path_buf()),
        ..ssh.clone()
    };
    let answer = run_patiently(&asking, "true", person).await?;
    let shown = answer
        .host_key
        .ok_or_else(|| ssh.lost("ssh did not show the host key"))?;
    if shown != *pinned {
        let node = &ssh.node;
        person.say(&format!(
            "{node} was met with   {pinned}\n{node} now shows      {shown}"
        ));
        if !person
            .confirm(&format!("Is that the key of the freshly flashed {node}?"))
            .await
        {
            let _ = std::fs::remove_file(known);
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
    clock: &dyn Clock,
    person: &mut dyn Dialogue,
) -> Result<(Probe, Fingerprint), ContactError> {
    let remote = format!("sh -c {}", quoted(probe::SCRIPT));
    let mut told = String::new();
    let mut waited = Duration::ZERO;
    loop {
        let answer = run_patiently(ssh, &remote, person).await?;
        let shown = answer
            .host_key
            .clone()
            .ok_or_else(|| ssh.lost("ssh did not show the host key"))?;
        if let Some(pinned) = pinned.filter(|pinned| **pinned != shown) {
            return Err(changed(ssh, pinned, &shown));
        }
        let why = match Probe::parse(&answer.stdout) {
            None => "the login was cut off".to_owned(),
            Some(probe) => match judge(&probe, clock.now_ms() / 1000) {
                Judgement::Ready => return Ok((probe, shown)),
                Judgement::Unfit(reasons) => {
                    return Err(ContactError::Unfit {
                        node: ssh.node.clone(),
                        reasons,
                    });
                }
                Judgement::NotYet(why) => why,
            },
        };
        if waited >= PATIENCE {
            return Err(ContactError::NeverReady {
                node: ssh.node.clone(),
                minutes: PATIENCE.as_secs() / 60,
                why,
            });
        }
        if why != told {
            person.say(&format!("{}: waiting: {why}", ssh.node));
            told = why;
        }
        tokio::time::sleep(PAUSE).await;
        waited += PAUSE;
    }
}

/// Runs `remote`; again for two minutes while the node only restarts its sshd.
async fn run_patiently(ssh: &Ssh, remote: &str, person: &mut dyn Dialogue) -> Result<Answer, ContactError> {
    let mut tries = 0;
    loop {
        let answer = ssh.run(remote).await?;
        if answer.code != 255 {
            return Ok(answer);
        }
        if let (Trust::Pinned(pin), Some(shown)) = (&ssh.trust, &answer.host_key)
            && answer.stderr.contains("verification failed")
        {
            let pinned = std::fs::read_to_string(pin).unwrap_or_default();
            let pinned = pinned.split_once(' ').and_then(|(_, key)| Fingerprint::of(key));
            return Err(changed(ssh, &pinned.unwrap_or_else(|| shown.clone()), shown));
        }
        let complaint = answer.stderr.lines().last().unwrap_or("ssh said nothing").to_owned();
        if tries == 24 || !passes(&answer.stderr) {
            return Err(ssh.lost(complaint));
        }
        if tries == 0 {
            person.say(&format!("{}: {complaint}; trying again for two minutes", ssh.node));
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

fn write_if_other(path: &Path, text: &str) -> Result<(), ContactError> {
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
    let new = path.with_extension("new");
    std::fs::write(&new, text).map_err(failed)?;
    std::fs::rename(&new, path).map_err(failed)
}
