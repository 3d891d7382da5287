use std::cell::Cell;

use clap::Args;
use heeler_proto::v1::{EventsRequest, FleetEvent, ShowNodeRequest};

use super::follow::{News, follow};
use super::{CliError, Console, Context, Exit, json};
use crate::screen::{Ink, Line, event};

#[derive(Debug, Args)]
pub(super) struct Events {
    /// Go on with what happens from now on, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// Only of this node
    #[arg(long)]
    node: Option<String>,
    /// Only of this task: its whole id
    #[arg(long)]
    task: Option<String>,
    /// Only what came after this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    after: u64,
}

pub(super) async fn run(wish: &Events, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit, CliError> {
    let request = EventsRequest {
        after: wish.after,
        follow: wish.follow,
        task_id: wish.task.clone().unwrap_or_default(),
        node: wish.node.clone().unwrap_or_default(),
        limit: 0,
    };
    if let Some(node) = wish.node.clone() {
        // A slip of the pen would be waited for in silence.
        context.client().await?.show_node(ShowNodeRequest { node }).await?;
    }
    let mut column = 0;
    let last = Cell::new(wish.after);
    let following = follow(context, request, async |news| {
        match news {
            News::Event(news) => {
                last.set(last.get().max(news.id));
                if !news.node.is_empty() {
                    column = column.max(news.node.chars().count() + 2);
                }
                show(&news, column, console)?;
            }
            News::Lost => say("The coordinator does not answer. Trying again...", console),
            News::Back => say("The coordinator is back.", console),
        }
        Ok(None)
    });
    tokio::select! {
        ended = following => ended,
        _ = tokio::signal::ctrl_c() => {
            say(&format!("Go on from here: heeler events --follow --after {}", last.get()), console);
            Ok(Exit::Stopped)
        }
    }
}

fn show(news: &FleetEvent, column: usize, console: &mut Console<'_>) -> Result<(), CliError> {
    if console.json {
        return console.json_line(&json::fleet_event(news));
    }
    let lines = event(news, column, &console.zone, console.screen);
    console.show(&lines)
}

fn say(text: &str, console: &mut Console<'_>) {
    console.aside(&[Line::new().ink(Ink::Amber, text)]);
}
