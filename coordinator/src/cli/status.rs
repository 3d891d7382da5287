use std::time::Duration;

use clap::Args;
use heeler_proto::v1::{StatusReply, StatusRequest};

use super::{Console, Context, Exit, Result};
use crate::screen::{Ink, Line, status as screen};

/// Time between two queries of `status --watch`.
const AGAIN: Duration = Duration::from_secs(2);

#[derive(Debug, Default, Args)]
pub(super) struct Status {
    /// Refresh every two seconds, until Ctrl-C
    #[arg(short, long)]
    watch: bool,
}

pub(super) async fn run(args: &Status, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    if !args.watch {
        let reply = ask(context).await?;
        show(&reply, console)?;
        return Ok(Exit::Fine);
    }
    let mut last: Option<StatusReply> = None;
    let watching = async {
        loop {
            let reply = match ask(context).await {
                Err(error) if last.is_some() && error.exit() == Exit::Unreachable => {
                    let away = Line::new().ink(
                        Ink::Red,
                        "The coordinator does not answer. The nodes keep running without \
                            it.",
                    );
                    console.aside(&[away]);
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
                asked => asked?,
            };
            let changed = last.as_ref().is_none_or(|last| {
                StatusReply {
                    now_ms: 0,
                    ..last.clone()
                } != StatusReply {
                    now_ms: 0,
                    ..reply.clone()
                }
            });
            if console.live {
                console.write("\x1b[H\x1b[2J")?;
            }
            if changed || console.live {
                match console.json {
                    true => console.json_line(&reply)?,
                    false => drop(show(&reply, console)?),
                }
            }
            last = Some(reply);
            tokio::time::sleep(AGAIN).await;
        }
    };
    tokio::select! {
        ended = watching => ended,
        _ = tokio::signal::ctrl_c() => Ok(Exit::Stopped),
    }
}

async fn ask(context: &Context<'_>) -> Result<StatusReply> {
    Ok(context.client().await?.status(StatusRequest {}).await?.into_inner())
}

fn show(reply: &StatusReply, console: &mut Console<'_>) -> Result<Exit> {
    console.answer(reply, |width| screen(reply, width))
}
