use heeler_proto::v1::{AuthorityStage, ListOperatorsReply, OperatorInfo, ShowAuthoritiesReply};

use super::amount::ago;
use super::table::{plain, table};
use super::{Ink, Line};
use crate::pki::sha256;

/// A fingerprint for people to compare: the first 128 bits of the SHA-256, in groups of four hex digits.
pub fn fingerprint(bytes: &[u8]) -> String {
    let hex = heeler_proto::hex(&sha256(bytes)[..16]);
    let groups: Vec<_> = hex.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    groups.join("-")
}

/// Operators with fingerprints, the revoked ones too.
pub fn operators(reply: &ListOperatorsReply, now_ms: u64) -> Vec<Line> {
    let row = |operator: &OperatorInfo| {
        let (ink, state) = match operator.revoked_at_ms {
            0 => (Ink::Green, "may consent".to_owned()),
            at_ms => (
                Ink::Red,
                format!("revoked {} ago by {}", ago(at_ms, now_ms), operator.revoked_by),
            ),
        };
        let remote = match operator.certificate_expires_ms {
            0 => "no",
            _ if operator.revoked_at_ms > 0 => "revoked",
            until_ms if until_ms <= now_ms => "expired",
            _ => "yes",
        };
        let by = if operator.added_by.is_empty() {
            "heeler init"
        } else {
            &operator.added_by
        };
        vec![
            (Ink::Bold, operator.name.clone()),
            (ink, state),
            plain(by),
            plain(remote),
            plain(&fingerprint(&operator.public_key)[..19]),
        ]
    };
    let mut lines = table(
        &["OPERATOR", "STATE", "ADDED BY", "REMOTE", "KEY"],
        reply.operators.iter().map(row).collect(),
    );
    lines.extend(behind(&reply.behind));
    lines
}

/// What a revocation has done, and what is left to do.
pub fn revoked(name: &str, away: &[String], vouched: &[&str]) -> Vec<Line> {
    let mut lines = vec![Line::of(format!(
        "{name} is revoked: no more connections, consents or signatures."
    ))];
    lines.extend(behind(away));
    if !vouched.is_empty() {
        lines.push(Line::of(format!(
            "{name} added: {}. If the key of {name} was stolen, check these",
            vouched.join(", ")
        )));
        lines.push(Line::of(format!(
            "operators too: heeler operator revoke {}",
            vouched[0]
        )));
    }
    lines
}

fn behind(nodes: &[String]) -> Option<Line> {
    let text = format!(
        "Not yet at these nodes (within seconds when connected, else when they connect): {}",
        nodes.join(", ")
    );
    (!nodes.is_empty()).then(|| Line::new().ink(Ink::Amber, text))
}

pub fn stage(stage: AuthorityStage) -> &'static str {
    match stage {
        AuthorityStage::Unspecified => "unknown",
        AuthorityStage::Made => "made",
        AuthorityStage::Next => "announced",
        AuthorityStage::Current => "signs",
        AuthorityStage::Old => "still trusted",
    }
}

/// The authorities, and what the next step of a rotation waits for.
pub fn authorities(shown: &ShowAuthoritiesReply, now_ms: u64) -> Vec<Line> {
    let mut authorities: Vec<_> = shown.authorities.iter().collect();
    authorities.sort_by_key(|authority| authority.since_ms);
    let rows = authorities.iter().map(|authority| {
        let days = authority.expires_ms.saturating_sub(now_ms) / (24 * 60 * 60 * 1000);
        vec![
            plain(fingerprint(&authority.certificate)),
            (Ink::Bold, stage(authority.stage()).to_owned()),
            plain(ago(authority.since_ms, now_ms)),
            plain(format!("{days} d")),
        ]
    });
    let mut lines = table(&["AUTHORITY", "STATE", "SINCE", "EXPIRES IN"], rows.collect());
    for waiting in &shown.waiting {
        let text = format!("{}: {}", waiting.node, waiting.reason);
        lines.push(Line::new().ink(Ink::Amber, text));
    }
    let has = |wanted| shown.authorities.iter().any(|authority| authority.stage() == wanted);
    let next = match (has(AuthorityStage::Next), has(AuthorityStage::Old)) {
        (true, _) => "Next: heeler ca rotate (the new authority then signs)",
        (_, true) => "Next: heeler ca rotate (the old authority is then dropped)",
        _ => return lines,
    };
    lines.push(Line::of(next));
    lines
}
