use std::cell::Cell;
use std::collections::{HashMap, VecDeque};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use heeler_proto::Word as _;
use heeler_proto::json::EventsSeen;
use heeler_proto::json::events_seen::Inline;
use heeler_proto::v1::{EventKind, EventsRequest, FleetEvent, SeenAlarmsRequest, ShowNodeRequest, ShowTaskRequest};
use tonic::Code;

use super::follow::{News, follow};
use super::{Console, Context, Exit, Names, Result, given, task};
use crate::screen::{EventLog, Ink, Line, bounds_a_task, date, is_shown};

/// Most events that `-n` selects.
const MOST: u32 = 1_000_000;

#[derive(Debug, Subcommand)]
enum Action {
    /// Remove alarms from the status until they occur again
    Seen {
        /// Only of this node [default: of all nodes]
        #[arg(add = Names::Nodes.offer())]
        node: Option<String>,
    },
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Events {
    #[command(subcommand)]
    action: Option<Action>,
    /// Show new events as they happen, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// Only of this node
    #[arg(long, add = Names::Nodes.offer())]
    node: Option<String>,
    /// Only of this task: its id, or the start of it
    #[arg(long, add = Names::Tasks.offer())]
    task: Option<String>,
    /// Only of this kind, as --json names it; may be given more than once: alarm, connected, lost, revision…
    #[arg(long, value_name = "KIND", value_parser = kinds(), hide_possible_values = true)]
    kind: Vec<EventKind>,
    /// Only events of the last TIME: 30m, 2h, 7d
    #[arg(long, value_name = "TIME", value_parser = heeler_proto::duration::parse)]
    since: Option<u64>,
    /// Only the last NUMBER events [default: all]
    #[arg(short = 'n', long, value_name = "NUMBER", value_parser = given::number(1, MOST))]
    last: Option<u32>,
    /// Only events after this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    after: u64,
}

/// Takes the word of a kind of event.
fn kinds() -> impl TypedValueParser<Value = EventKind> {
    let words = EventKind::ALL.iter().map(|kind| kind.word());
    PossibleValuesParser::new(words).map(|word| EventKind::parse(&word).unwrap_or_default())
}

impl Events {
    /// Whether the command only reads.
    pub(super) fn only_reads(&self) -> bool {
        self.action.is_none()
    }
}

pub(super) async fn run(args: &Events, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    if let Some(Action::Seen { node }) = &args.action {
        return seen(node.clone(), context, console).await;
    }
    let task_id = match &args.task {
        Some(named) => task_id(named, context).await?,
        None => String::new(),
    };
    let request = EventsRequest {
        after: args.after,
        follow: args.follow,
        task_id,
        node: args.node.clone().unwrap_or_default(),
        limit: 0,
        kinds: args.kind.iter().map(|kind| (*kind).into()).collect(),
        since_ms: args.since.map_or(0, |back| context.clock.now_ms().saturating_sub(back)),
        last: args.last.unwrap_or(0),
    };
    if let Some(node) = args.node.clone() {
        let mut client = context.client().await?;
        let known = ShowNodeRequest { node: node.clone() };
        match client.show_node(known).await {
            Err(status) if status.code() == Code::NotFound && !args.follow => {
                // Events stay when a node is removed. A mistyped name has none, and fails below.
                let first = EventsRequest {
                    node: node.clone(),
                    limit: 1,
                    ..EventsRequest::default()
                };
                if client.events(first).await?.into_inner().message().await?.is_none() {
                    return Err(status.into());
                }
                say(
                    &format!("No node is called {node} now; these are older events of one."),
                    console,
                );
            }
            known => drop(known?),
        }
    }
    let mut day = String::new();
    let mut log = EventLog::new(0, console.zone.clone());
    let request = match args.last {
        Some(last) if !console.json => with_shown(request, last, context).await?,
        _ => request,
    };
    let last = Cell::new(args.after);
    let mut kinds = HashMap::new();
    let following = follow(context, request, async |news| {
        match news {
            News::Event(news) => {
                last.set(last.get().max(news.id));
                if !news.node.is_empty() {
                    log.column = log.column.max(news.node.chars().count() + 2);
                }
                if !console.json && bounds_a_task(&news) && !kinds.contains_key(&news.task_id) {
                    kinds.insert(news.task_id.clone(), kind_of(&news.task_id, context).await);
                }
                let task = kinds.get(&news.task_id).map_or("", String::as_str);
                show((&news, task), &mut log, &mut day, console)?;
            }
            News::Lost => say("The coordinator does not answer. Trying again...", console),
            News::Back => say("The coordinator is back.", console),
        }
        Ok(None)
    });
    tokio::select! {
        ended = following => ended,
        _ = tokio::signal::ctrl_c() => {
            say(&format!("Continue from here: heeler events --follow --after {}", last.get()), console);
            Ok(Exit::Stopped)
        }
    }
}

/// The request, started so that the last `last` events include only those that are shown as lines; others feed the
/// progress display.
async fn with_shown(request: EventsRequest, last: u32, context: &Context<'_>) -> Result<EventsRequest> {
    let mut client = context.client().await?;
    let mut asked = last;
    loop {
        let page = EventsRequest {
            follow: false,
            last: asked,
            ..request.clone()
        };
        let mut events = client.events(page).await?.into_inner();
        let (mut shown, mut count) = (VecDeque::new(), 0);
        while let Some(event) = events.message().await? {
            count += 1;
            if is_shown(&event) {
                shown.push_back(event.id);
            }
        }
        while shown.len() > last as usize {
            shown.pop_front();
        }
        if shown.len() == last as usize || count < asked {
            let after = shown.front().map_or(request.after, |first| first.saturating_sub(1));
            return Ok(EventsRequest {
                after: after.max(request.after),
                last: 0,
                ..request
            });
        }
        asked = asked.saturating_mul(4);
    }
}

async fn task_id(named: &str, context: &Context<'_>) -> Result<String> {
    let mut client = context.client().await?;
    let unknown = match task::find(&mut client, named).await {
        Ok(task) => return Ok(task.task_id),
        Err(unknown) => unknown,
    };
    // Events may outlive the task that they belong to.
    let request = EventsRequest {
        task_id: named.to_owned(),
        limit: 1,
        ..EventsRequest::default()
    };
    let first = client.events(request).await?.into_inner().message().await?;
    first.map(|_| named.to_owned()).ok_or(unknown)
}

async fn seen(node: Option<String>, context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let mut client = context.client().await?;
    if let Some(node) = node.clone() {
        client.show_node(ShowNodeRequest { node }).await?;
    }
    let request = SeenAlarmsRequest {
        node: node.clone().unwrap_or_default(),
    };
    let reply = client.seen_alarms(request).await?.into_inner();
    let whose = node.as_deref().map_or(String::new(), |node| format!(" of {node}"));
    let alarms = reply.alarms;
    let line = match alarms {
        0 => format!("The status shows no alarm{whose}."),
        1 => format!("1 alarm{whose} is removed from the status, until it occurs again."),
        _ => format!("{alarms} alarms{whose} are removed from the status, until they occur again."),
    };
    let inline = Some(Inline::Reply(reply));
    console.told(EventsSeen { node, inline }, line)
}

/// The kind of a task; empty when it is no longer on record.
async fn kind_of(task_id: &str, context: &Context<'_>) -> String {
    let request = ShowTaskRequest {
        task_id: task_id.to_owned(),
    };
    let Ok(mut client) = context.client().await else {
        return String::new();
    };
    let known = client.show_task(request).await;
    known.map(|task| task.into_inner().kind).unwrap_or_default()
}

/// Writes an event, and the date before the first event of each day.
fn show(
    (news, task): (&FleetEvent, &str),
    log: &mut EventLog,
    day: &mut String,
    console: &mut Console<'_>,
) -> Result<()> {
    if console.json {
        return console.json_line(news);
    }
    let mut lines = log.add(news, task, console.screen);
    let date = date(news.at_ms, &console.zone);
    let date = date.split(' ').next().unwrap_or_default();
    if !lines.is_empty() && date != day.as_str() {
        date.clone_into(day);
        lines.insert(0, Line::new().ink(Ink::Dim, date));
    }
    console.show(&lines)
}

fn say(text: &str, console: &mut Console<'_>) {
    console.aside(&[Line::new().ink(Ink::Amber, text)]);
}
