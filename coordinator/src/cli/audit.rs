use clap::Subcommand;
use heeler_proto::json::AuditVerify;
use heeler_proto::json::audit_verify::Inline;
use heeler_proto::v1::{
    AuditEntry, ListAuditReply, ListAuditRequest, ShowNodeRequest, VerifyAuditReply, VerifyAuditRequest,
};

use super::lock::Lock;
use super::{Console, Context, Exit, Names, Result, given};
use crate::screen::{self, Ink, Line};

/// Most entries that the coordinator sends in one reply.
const PAGE: u32 = 1000;
/// Most entries that one command lists without `--all`.
const MOST: u32 = 1_000_000;

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// List who did what and when; the newest last
    List {
        /// The newest NUMBER entries
        #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 50, value_parser = given::number(1, MOST))]
        last: u32,
        /// From the first entry on
        #[arg(long, conflicts_with = "last")]
        all: bool,
        /// Only what concerns this node
        #[arg(long, add = Names::Nodes.offer())]
        node: Option<String>,
    },
    /// Check that no entry was changed, and that the log still has the entry in heeler.lock
    Verify,
}

pub(super) async fn run(args: Audit, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    match args {
        Audit::List { last, all, node } => list((last, all), node.as_deref(), context, console).await,
        Audit::Verify => verify(context, console).await,
    }
}

async fn list(
    (last, all): (u32, bool),
    node: Option<&str>,
    context: &Context<'_>,
    console: &mut Console<'_>,
) -> Result<Exit> {
    let mut client = context.client().await?;
    let mut found = ListAuditReply::default();
    let mut after = 0;
    if !all && node.is_none() {
        let newest = ListAuditRequest {
            after,
            limit: 1,
            newest: true,
        };
        let newest = client.list_audit(newest).await?.into_inner();
        after = newest.last.saturating_sub(last.into());
    }
    loop {
        let request = ListAuditRequest {
            after,
            limit: PAGE,
            newest: false,
        };
        let page = client.list_audit(request).await?.into_inner();
        found.last = page.last;
        let Some(end) = page.entries.last() else { break };
        after = end.seq;
        let wanted = |entry: &AuditEntry| node.is_none_or(|node| entry.node == node);
        found.entries.extend(page.entries.into_iter().filter(wanted));
    }
    let entries = &mut found.entries;
    if !all {
        entries.drain(..entries.len().saturating_sub(last as usize));
    }
    if let Some(node) = node.filter(|_| entries.is_empty()) {
        // No entries: either the node was removed long ago, or the name is mistyped and this fails.
        client.show_node(ShowNodeRequest { node: node.to_owned() }).await?;
    }
    let zone = console.zone.clone();
    console.answer(&found, |screen| screen::audit(&found.entries, &zone, screen))
}

async fn verify(context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let seen = Lock::read(&context.config())?.audit_head();
    let request = VerifyAuditRequest {
        known: seen.clone().into_iter().collect(),
    };
    let reply = context.client().await?.verify_audit(request).await?.into_inner();
    // After a restore the log cannot hold what the lost coordinator wrote after the copy was made.
    let seen_seq = seen.as_ref().map_or(0, |seen| seen.seq);
    let explained =
        reply.broken.starts_with(super::lock::FILE) && reply.restored_at > 0 && seen_seq >= reply.restored_at;
    let sound = reply.broken_at == 0 || explained;
    let document = AuditVerify {
        sound,
        compared_with_lock: seen_seq,
        inline: Some(Inline::Reply(reply.clone())),
    };
    console.answer(document, |screen| said(&reply, seen_seq, explained, screen))?;
    Ok(if sound { Exit::Fine } else { Exit::Person })
}

fn said(reply: &VerifyAuditReply, seen: u64, explained: bool, screen: screen::Screen) -> Vec<Line> {
    let mut text = Vec::new();
    let (ink, word) = match (reply.broken_at, explained) {
        (0, _) => {
            text.push(format!("{} entries; the hash chain is correct.", reply.entries));
            if seen == 0 {
                text.push("heeler.lock here records none of them yet; the next apply records the newest.".to_owned());
            } else {
                text.push(format!("The log still holds entry {seen}, which heeler.lock records."));
            }
            (Ink::Green, "OK      ")
        }
        (_, true) => {
            text.push(format!("{}.", reply.broken));
            text.push(format!(
                "That is explained: entry {} says that the coordinator was restored ({}).",
                reply.restored_at, reply.restored
            ));
            (Ink::Amber, "SHORTER ")
        }
        (at, false) => {
            text.push(format!("{}.", reply.broken));
            text.push(format!(
                "Do not trust the entries from {at} on. Compare the log with a backup: heeler backup verify FILE"
            ));
            (Ink::Red, "BROKEN  ")
        }
    };
    let lines = text
        .iter()
        .flat_map(|text| screen::wrap(text, screen.width.saturating_sub(8)));
    let mut head = Some(word);
    lines
        .map(|line| match head.take() {
            Some(word) => Line::new().ink(ink, word).plain(line),
            None => Line::of("        ").plain(line),
        })
        .collect()
}
