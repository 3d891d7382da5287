//! `heeler backup copy` and `heeler backup list`: the encrypted copies on the nodes' pools.

use heeler_proto::v1::{ListCopiesRequest, MakeCopiesRequest};

use super::{Console, Context, Exit, Result};
use crate::screen::{self, Ink, Line};

pub(super) async fn list(context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let mut client = context.client().await?;
    let reply = client.list_copies(ListCopiesRequest {}).await?.into_inner();
    let (zone, now_ms) = (console.zone.clone(), context.clock.now_ms());
    console.answer(&reply, |_| match reply.copies.as_slice() {
        [] => vec![
            Line::of("No node holds a copy yet. One is made every hour for each node with a pool."),
            Line::of("Now: heeler backup copy"),
        ],
        copies => screen::copies(copies, now_ms, &zone),
    })
}

pub(super) async fn make(context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let mut client = context.client().await?;
    let reply = client.make_copies(MakeCopiesRequest {}).await?.into_inner();
    let (zone, now_ms) = (console.zone.clone(), context.clock.now_ms());
    console.answer(&reply, |screen| {
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
