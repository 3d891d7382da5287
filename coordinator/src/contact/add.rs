use std::path::PathBuf;
use std::time::Duration;

use heeler_proto::NodeName;
use heeler_proto::v1::operator_client::OperatorClient;
use heeler_proto::v1::{
    BeginContactReply, BeginContactRequest, CreateTokenRequest, DiscoverRequest, Facts, NodeState, ShowNodeRequest,
};
use tonic::transport::Channel;

use super::check::Check;
use super::hostkey::Fingerprint;
use super::payload::{self, Part};
use super::pinned_node::{PinnedNode, pin_node};
use super::root::Root;
use super::ssh::Ssh;
use super::{ContactError, Dialogue, Result};
use crate::clock::Clock;
use crate::pki::key_sha256;
use crate::screen::fingerprint;
use crate::trust::Keyring;

/// Longest wait from the agent's start to its first session, enough for a slow card.
const PATIENCE: Duration = Duration::from_secs(90);
/// Wait between two looks for the first session.
const PAUSE: Duration = Duration::from_millis(500);

/// What `heeler node add` was asked to do.
pub struct Target {
    pub node: NodeName,
    /// `user@host`, or a name of the user's ssh configuration.
    pub destination: String,
    /// An ssh configuration to use instead of the user's own.
    pub ssh_config: Option<PathBuf>,
    /// Whether a changed host key is expected (`--reflashed`).
    pub reflashed: bool,
    pub skip: Vec<Check>,
    /// Folder with the agents; None: the usual folders.
    pub agent_dir: Option<PathBuf>,
    /// The state folder, which holds the pinned host keys.
    pub state: PathBuf,
}

/// Result of a first contact that succeeded.
pub struct Added {
    /// Files written on the node; empty when nothing had to change.
    pub changed: Vec<&'static str>,
    /// Facts that the agent has reported; None when it did not yet.
    pub facts: Option<Facts>,
}

/// Adds a node, or repairs one. Its error: [`ContactError`], which says what to type.
pub async fn add(
    coordinator: &mut OperatorClient<Channel>,
    target: &Target,
    trust: &mut Keyring,
    clock: &dyn Clock,
    person: &mut dyn Dialogue,
) -> Result<Added> {
    let node = target.node.to_string();
    let known = coordinator.begin_contact(BeginContactRequest { node }).await;
    let known = known.map_err(Box::new)?.into_inner();
    let known = verified_reply(known, &target.node, trust, person).await?;
    let mut ssh = Ssh::new(&target.node, &target.destination, target.ssh_config.clone());
    let pinned = Fingerprint::parse(&known.host_key);
    let pinned_node = pin_node(&mut ssh, pinned, target, clock, person).await?;
    person.say(&format!(
        "{}: {}, {}, host key {}",
        target.node,
        pinned_node.probe.text("model"),
        pinned_node.probe.text("pretty"),
        pinned_node.host_key
    ));
    let agent = payload::binary(pinned_node.probe.text("machine"), target.agent_dir.as_deref())?;

    let mut root = Root::open(&ssh, person).await?;
    let changed = install(&mut root, coordinator, target, &known, &pinned_node, agent, person).await?;
    let up = wait_until_up(&mut root, coordinator, target, &known, person).await;
    root.close().await;
    up?;
    let node = target.node.to_string();
    let facts = coordinator.discover(DiscoverRequest { node }).await;
    Ok(Added {
        changed,
        facts: facts.map_err(Box::new)?.into_inner().facts,
    })
}

/// The trust settings for the node, after each part is verified by signed statements or confirmed by a person.
async fn verified_reply(
    reply: BeginContactReply,
    node: &NodeName,
    trust: &mut Keyring,
    person: &mut dyn Dialogue,
) -> Result<BeginContactReply> {
    let failed = |source| ContactError::Trust {
        node: node.clone(),
        source,
    };
    let claims = trust.unsigned_claims(&reply).map_err(failed)?;
    for claim in &claims {
        person.say(&claim.warning());
        if person.typed(&claim.question()).await.as_ref() != Some(&claim.word()) {
            return Err(ContactError::Untrusted {
                node: node.clone(),
                refused: claims.iter().map(crate::trust::UnsignedClaim::refusal).collect(),
            });
        }
    }
    if !claims.is_empty() {
        trust.pin(claims).map_err(failed)?;
        // A person's confirmation pins a key, but does not override a signed revocation.
        if let Some(left) = trust.unsigned_claims(&reply).map_err(failed)?.first() {
            return Err(ContactError::Untrusted {
                node: node.clone(),
                refused: vec![left.refusal()],
            });
        }
    }
    let reply = trust.verified(reply);
    let unnamed = trust.operators().iter().filter(|known| {
        let named = reply.operators.iter().any(|named| named.name == known.name);
        !named
    });
    for known in unnamed {
        person.say(&format!(
            "{node}: the coordinator does not list the operator {} ({}): this node will refuse that operator's consents",
            known.name,
            fingerprint(&known.public_key)
        ));
    }
    Ok(reply)
}

/// Writes the files that differ, and starts the agent when one did or when it does not run.
async fn install(
    root: &mut Root<'_>,
    coordinator: &mut OperatorClient<Channel>,
    target: &Target,
    known: &BeginContactReply,
    pinned_node: &PinnedNode,
    agent: Part,
    person: &mut dyn Dialogue,
) -> Result<Vec<&'static str>> {
    let there = root.order("LOOK").await?;
    let holds = |part: &Part| there.contains(&part.as_looked_at());
    let config = payload::config(&target.node, known);
    let mut changed = Vec::new();
    // A package owns agent and unit here, so apt keeps them up to date.
    let package = there.iter().find_map(|line| line.strip_prefix("package "));
    if let Some(version) = package {
        person.say(&format!(
            "{}: the agent comes from the Debian package (heeler-agent {version}); apt upgrades it",
            target.node
        ));
    }
    let own = [agent]
        .into_iter()
        .chain(payload::units())
        .filter(|_| package.is_none());
    for part in own.chain([config]) {
        if !holds(&part) {
            person.say(&format!("{}: writing {}", target.node, part.path));
            root.put(&part).await?;
            changed.push(part.path);
        }
    }
    let pem = root.order("KEY").await?.join("\n");
    let key = key_sha256(&format!("{pem}\n")).ok_or_else(|| ContactError::Node {
        node: target.node.clone(),
        problem: format!("`heeler-agent key` printed no public key: {pem:?}"),
    })?;
    if needs_token(known, &key, pinned_node, target)? {
        let request = CreateTokenRequest {
            node: target.node.to_string(),
            key_sha256: key.to_vec(),
            host_key: pinned_node.host_key.to_string(),
            reflashed: target.reflashed,
        };
        let token = coordinator.create_token(request).await.map_err(Box::new)?.into_inner();
        root.put(&payload::token(&token.token)).await?;
        changed.push(payload::TOKEN);
    }
    let runs = ["unit enabled active", "guard enabled"]
        .iter()
        .all(|line| there.iter().any(|said| said == line));
    // The node may accept no certificate any more; START makes it learn the time anew.
    let ahead = there.iter().any(|said| said == "clock ahead");
    if !changed.is_empty() || !runs || ahead {
        person.say(&format!("{}: starting the agent", target.node));
        root.order("START").await?;
        if changed.is_empty() {
            changed.push(payload::UNIT);
        }
    }
    Ok(changed)
}

/// Whether the node must enrol: it is new, its certificate has expired, its key is not the one on record, or the
/// person says that the card was flashed or moved.
fn needs_token(known: &BeginContactReply, key: &[u8], pinned_node: &PinnedNode, target: &Target) -> Result<bool> {
    let Some(node) = known.node.as_ref().filter(|node| !node.key_sha256.is_empty()) else {
        return Ok(true);
    };
    let same = heeler_proto::hex(key) == node.key_sha256;
    if !same && !target.reflashed {
        return Err(ContactError::OtherKey {
            node: target.node.clone(),
        });
    }
    let now_ms = pinned_node.probe.number("time").unwrap_or(0).saturating_mul(1000);
    Ok(!same
        || target.reflashed
        || node.state() != NodeState::Enrolled
        || (node.certificate_expires_ms <= now_ms && !node.connected))
}

async fn wait_until_up(
    root: &mut Root<'_>,
    coordinator: &mut OperatorClient<Channel>,
    target: &Target,
    known: &BeginContactReply,
    person: &mut dyn Dialogue,
) -> Result<()> {
    let mut waited = Duration::ZERO;
    while waited < PATIENCE {
        let node = target.node.to_string();
        let shown = coordinator.show_node(ShowNodeRequest { node }).await;
        if shown.is_ok_and(|shown| shown.into_inner().node.is_some_and(|node| node.connected)) {
            person.say(&format!("{}: the agent is up", target.node));
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
        waited += PAUSE;
    }
    Err(ContactError::Silent {
        node: target.node.clone(),
        seconds: PATIENCE.as_secs(),
        words: root.order("LOG").await.unwrap_or_default(),
        addresses: known.addresses.join(", "),
    })
}
