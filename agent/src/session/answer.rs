use std::net::Ipv4Addr;
use std::sync::Arc;

use heeler_host::disk::remember_slots;
use heeler_host::guard::{self, GuardState};
use heeler_host::{Glance, RunError, System, facts, link, ping};
use heeler_proto::v1::reply::Answer;
use heeler_proto::v1::{
    CopyChunk, Facts, FactsRequest, FromAgent, Pause, PendingNetwork, Preview, PreviewRequest, Reach, ReachRequest,
    Refusal, ReleasePlan, ReleaseRequest, Reply, SnapshotAnswer, SnapshotAsk, StepReport, from_agent,
};
use heeler_proto::{Irreversible, Task};
use heeler_tasks::engine::in_full;
use tokio::sync::{Mutex, Notify, watch};

use super::message;
use crate::copies::Copies;
use crate::{hold, release, schedule, wire};

/// Counts changes of pools; the ones before an examination began are marked as seen.
pub type Changes = watch::Receiver<u64>;

/// The answer to a request, or why there is none.
pub type Answered = Result<Answer, Refused>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Unspecified: the text says it all.
    pub kind: Refusal,
    pub text: String,
}

impl From<String> for Refused {
    fn from(text: String) -> Self {
        Self {
            kind: Refusal::Unspecified,
            text,
        }
    }
}

/// Why a request beyond the limit is not answered.
pub const BUSY: &str = "this node is busy with other requests: try again";

pub fn reply(id: u64, answered: Answered) -> FromAgent {
    let mut reply = Reply { id, ..Reply::default() };
    match answered {
        Ok(answer) => reply.answer = Some(answer),
        Err(why) => {
            reply.set_refusal(why.kind);
            reply.error = why.text;
        }
    }
    message(from_agent::Body::Reply(reply))
}

pub async fn facts(
    host: Arc<dyn System>,
    request: FactsRequest,
    schedule: Option<schedule::ScheduleState>,
    changes: Changes,
) -> Answered {
    let host = host.as_ref();
    if request.pools_only {
        return Ok(Answer::Facts(look_at_pools(host).await?));
    }
    let facts = look(host, &Glance::at(host), &changes).await?;
    Ok(Answer::Facts(with(facts, schedule)))
}

async fn look_at_pools(host: &dyn System) -> Result<Facts, String> {
    let looked = facts::pools_alone(&Glance::at(host)).await;
    let (pools, unreadable_pools) = wire::pools(looked.map_err(|error| in_full(&error))?);
    Ok(Facts {
        pools,
        unreadable_pools,
        observed_at_ms: host.now_ms(),
        ..Facts::default()
    })
}

/// What the tasks would change, in order, and the facts for that.
pub async fn preview(
    host: Arc<dyn System>,
    request: PreviewRequest,
    interrupted: Vec<Irreversible>,
    schedule: Option<schedule::ScheduleState>,
    changes: Changes,
) -> Answered {
    let tasks = request.tasks.into_iter().map(Task::try_from);
    let tasks: Vec<Task> = tasks.collect::<Result<_, _>>().map_err(|invalid| invalid.to_string())?;
    let glance = Glance::at(host.as_ref());
    let facts = look(host.as_ref(), &glance, &changes).await?;
    let mut steps = Vec::new();
    for (place, task) in (0..).zip(&tasks) {
        let reports = heeler_tasks::preview(&glance, task, &interrupted).await;
        steps.extend(reports.into_iter().map(|report| StepReport { task: place, ..report }));
    }
    Ok(Answer::Preview(Preview {
        steps,
        facts: Some(with(facts, schedule)),
    }))
}

/// The network change that waits for confirmation.
pub async fn pending(host: &dyn System) -> Option<PendingNetwork> {
    match guard::state(host).await {
        // Nobody can confirm a change whose undo has begun, and nobody is to confirm one that is wrong.
        Ok(GuardState::Armed(armed)) if guard::is_undoing(host, &armed.id).await.unwrap_or(true) => None,
        Ok(GuardState::Armed(armed)) if guard::fault(host, &armed.way).await.unwrap_or_default().is_some() => None,
        Ok(GuardState::Armed(armed)) => Some(PendingNetwork {
            guard_id: armed.id,
            address: armed.way.address,
        }),
        Ok(GuardState::Idle | GuardState::Undone(_)) => None,
        Err(error) => {
            tracing::warn!("{}", in_full(&error));
            None
        }
    }
}

/// Whether another node's address answers over this node's backplane.
pub async fn reach(host: Arc<dyn System>, request: ReachRequest) -> Answered {
    // Only a valid address becomes an argument of a program.
    let address: Ipv4Addr = request
        .address
        .parse()
        .map_err(|_| format!("{:?} is not an address", request.address))?;
    let seen = reached(host.as_ref(), address).await.map_err(|error| in_full(&error))?;
    Ok(Answer::Reach(Reach {
        up: seen.is_some(),
        reached: seen == Some(true),
    }))
}

pub async fn copy(host: Arc<dyn System>, copies: Arc<Copies>, chunk: CopyChunk) -> Answered {
    Ok(Answer::Copy(copies.take(host.as_ref(), chunk).await?))
}

/// None when this node's own backplane is down, so its result means nothing.
async fn reached(host: &dyn System, address: Ipv4Addr) -> Result<Option<bool>, RunError> {
    let nics = facts::nics(host).await?;
    let own = nics.iter().find(|nic| nic.name == link::BACKPLANE);
    if !own.is_some_and(|nic| nic.carrier && !nic.addresses.is_empty()) {
        return Ok(None);
    }
    Ok(Some(ping::reaches(host, link::BACKPLANE, &address.to_string()).await?))
}

pub async fn snapshots(
    host: Arc<dyn System>,
    pool: Arc<Mutex<()>>,
    ask: SnapshotAsk,
    schedule: Option<schedule::ScheduleState>,
) -> Answered {
    let no_pruning = schedule.map(|schedule| schedule.no_pruning).unwrap_or_default();
    let answer = crate::schedule::answer(host, pool, ask).await?;
    Ok(Answer::Snapshots(SnapshotAnswer { no_pruning, ..answer }))
}

fn with(facts: Facts, schedule: Option<schedule::ScheduleState>) -> Facts {
    Facts {
        schedule: schedule.map(wire::schedule),
        ..facts
    }
}

async fn look(host: &dyn System, glance: &Glance<'_>, changes: &Changes) -> Result<Facts, String> {
    let mut facts = facts::collect(glance).await.map_err(|error| in_full(&error))?;
    // Collecting all facts takes long; its view of the pools must not replace a newer one.
    if changes.has_changed().unwrap_or(false) {
        facts.pools = facts::pools_alone(host).await.map_err(|error| in_full(&error))?;
    }
    // Without the file a slot's letter may change later; that is no reason to fail now.
    if let Err(error) = remember_slots(host, &facts.slots).await {
        tracing::warn!(%error, "could not store the slots");
    }
    let now_ms = host.now_ms();
    let paused = hold::read(host, now_ms).await.map_err(|error| in_full(&error))?;
    Ok(Facts {
        paused: paused.map(|hold| Pause {
            reason: hold.reason,
            operator: "root on the node".to_owned(),
            since_ms: hold.since_ms,
            until_ms: hold.until_ms,
            on_node: true,
        }),
        ..wire::facts(facts)
    })
}

/// What a release would do. With `go` it is begun, and `leaving` is notified, also when the session ends meanwhile.
pub async fn release(host: Arc<dyn System>, request: ReleaseRequest, leaving: Arc<Notify>) -> Answered {
    let whole = tokio::spawn(async move {
        let host = host.as_ref();
        let plan = release::plan(host).await.map_err(|error| in_full(&error))?;
        if request.go && plan.refused.is_empty() {
            release::begin(host, &plan).await.map_err(|error| in_full(&error))?;
            leaving.notify_one();
        }
        Ok::<_, String>(plan)
    });
    let plan = whole.await.map_err(|error| error.to_string())??;
    Ok(Answer::Release(ReleasePlan {
        starts: plan.takes_over(),
        stops: plan.stops,
        goes_on: plan.continues,
        refused: plan.refused,
    }))
}
