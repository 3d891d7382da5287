//! `heeler backup copy` and `heeler backup list`: the encrypted copies on the nodes' pools.

use heeler_proto::v1::{CopyInfo, ListCopiesRequest, MakeCopiesRequest};
use serde_json::{Value, json as object};

use super::{CliError, Console, Context, Exit, json};
use crate::screen::{self, Ink, Line};

pub(super) async fn list(context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit, CliError> {
    let copies = context
        .client()
        .await?
        .list_copies(ListCopiesRequest {})
        .await?
        .into_inner()
        .copies;
    let (zone, now_ms) = (console.zone.clone(), context.clock.now_ms());
    console.answer(
        || json::list("copies", copies.iter().map(document)),
        |_| match copies.as_slice() {
            [] => vec![
                Line::of("No node holds a copy yet. One is made every hour for each node with a pool."),
                Line::of("Now: heeler backup copy"),
            ],
            copies => screen::copies(copies, now_ms, &zone),
        },
    )?;
    Ok(Exit::Fine)
}

pub(super) async fn make(context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit, CliError> {
    let reply = context
        .client()
        .await?
        .make_copies(MakeCopiesRequest {})
        .await?
        .into_inner();
    let (zone, now_ms) = (console.zone.clone(), context.clock.now_ms());
    let problems = reply
        .problems
        .iter()
        .map(|problem| object!({ "node": problem.node, "reason": problem.reason }));
    let document = || {
        json::document(object!({
            "copies": reply.copies.iter().map(document).collect::<Vec<_>>(),
            "problems": problems.collect::<Vec<_>>(),
        }))
    };
    console.answer(document, |screen| {
        let mut lines = match reply.copies.as_slice() {
            [] => vec![Line::of(
                "No node took a copy. A copy needs a connected node with a working pool.",
            )],
            copies => screen::copies(copies, now_ms, &zone),
        };
        for problem in &reply.problems {
            let text = format!("{}: {}", problem.node, problem.reason);
            lines.extend(
                screen::wrap(&text, screen.width)
                    .into_iter()
                    .map(|line| Line::new().ink(Ink::Amber, line)),
            );
        }
        lines
    })?;
    Ok(if reply.problems.is_empty() && !reply.copies.is_empty() {
        Exit::Fine
    } else {
        Exit::Person
    })
}

fn document(copy: &CopyInfo) -> Value {
    object!({ "node": copy.node, "name": copy.name, "at_ms": copy.at_ms, "bytes": copy.bytes })
}
