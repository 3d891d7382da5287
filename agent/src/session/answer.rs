use std::net::Ipv4Addr;
use std::sync::Arc;

use heeler_host::disk::remember_slots;
use heeler_host::guard::{self, GuardState};
use heeler_host::{Glance, RunError, System, facts, link, ping};
use heeler_proto::v1::{
    CopyChunk, CopyReply, Facts, FactsReply, FactsRequest, FromAgent, Pause, PendingNetwork, PreviewReply,
    PreviewRequest, ReachReply, ReachRequest, ReleaseReply, ReleaseRequest, SnapshotAnswer, SnapshotAsk, from_agent,
};
use heeler_proto::{Irreversible, Task};
use heeler_tasks::engine::in_full;
use tokio::sync::{Mutex, watch};

use super::message;
use crate::release::{self, ReleaseError};
use crate::{hold, schedule, wire};

/// Counts changes of pools; the ones before an examination began are marked as seen.
pub type Changes = watch::Receiver<u64>;

/// The facts about the machine, or why they cannot be collected.
pub async fn facts(
    host: Arc<dyn System>,
    request: FactsRequest,
    schedule: Option<schedule::ScheduleState>,
    changes: Changes,
) -> FromAgent {
    let host = host.as_ref();
    let looked = match request.pools_only {
        true => look_at_pools(host).await,
        false => {
            let looked = look(host, &Glance::at(host), &changes).await;
            looked.map(|facts| with(facts, schedule))
        }
    };
    let (facts, error) = match looked {
        Ok(facts) => (Some(facts), String::new()),
        Err(reason) => (None, reason),
    };
    message(from_agent::Body::Facts(FactsReply {
        request_id: request.request_id,
        facts,
        error,
        pools_only: request.pools_only,
    }))
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
) -> FromAgent {
    let mut reply = PreviewReply {
        request_id: request.request_id,
        ..PreviewReply::default()
    };
    let looked = async {
        let tasks = request.tasks.into_iter().map(Task::try_from);
        let tasks: Vec<Task> = tasks.collect::<Result<_, _>>().map_err(|invalid| invalid.to_string())?;
        let glance = Glance::at(host.as_ref());
        let facts = look(host.as_ref(), &glance, &changes).await?;
        let mut steps = Vec::new();
        for (place, task) in (0..).zip(&tasks) {
            let reports = heeler_tasks::preview(&glance, task, &interrupted).await;
            steps.extend(reports.into_iter().map(|report| wire::step_report(report, place)));
        }
        Ok((facts, steps))
    };
    let looked: Result<_, String> = looked.await;
    match looked {
        Ok((facts, steps)) => {
            reply.facts = Some(with(facts, schedule));
            reply.steps = steps;
        }
        Err(reason) => reply.error = reason,
    }
    message(from_agent::Body::Preview(reply))
}

/// The error of a request beyond the limit.
pub const BUSY: &str = "this node is busy with other requests: try again";

/// The answer to a request for facts beyond the limit.
pub fn too_many_facts(request: FactsRequest) -> FromAgent {
    message(from_agent::Body::Facts(FactsReply {
        request_id: request.request_id,
        error: BUSY.to_owned(),
        ..FactsReply::default()
    }))
}

/// The answer to a preview beyond the limit.
pub fn too_many(request: PreviewRequest) -> FromAgent {
    message(from_agent::Body::Preview(PreviewReply {
        request_id: request.request_id,
        error: BUSY.to_owned(),
        ..PreviewReply::default()
    }))
}

/// The answer to a reach request beyond the limit.
pub fn too_many_reaches(request: ReachRequest) -> FromAgent {
    message(from_agent::Body::Reach(ReachReply {
        request_id: request.request_id,
        up: true,
        reached: false,
        error: BUSY.to_owned(),
    }))
}

/// The answer to a copy's chunk beyond the limit.
pub fn too_many_parts(chunk: CopyChunk) -> FromAgent {
    message(from_agent::Body::Copy(CopyReply {
        name: chunk.name,
        error: BUSY.to_owned(),
        ..CopyReply::default()
    }))
}

/// The network change that waits for confirmation.
pub async fn pending(host: &dyn System) -> Option<PendingNetwork> {
    match guard::state(host).await {
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
pub async fn reach(host: Arc<dyn System>, request: ReachRequest) -> FromAgent {
    let mut reply = ReachReply {
        request_id: request.request_id,
        ..ReachReply::default()
    };
    // Only a valid address becomes an argument of a program.
    match request.address.parse::<Ipv4Addr>() {
        Ok(address) => match reached(host.as_ref(), address).await {
            Ok(seen) => (reply.up, reply.reached) = (seen.is_some(), seen == Some(true)),
            Err(error) => (reply.up, reply.error) = (true, in_full(&error)),
        },
        Err(_) => reply.error = format!("{:?} is not an address", request.address),
    }
    message(from_agent::Body::Reach(reply))
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

/// Answers a request about snapshots.
pub async fn snapshots(
    host: Arc<dyn System>,
    pool: Arc<Mutex<()>>,
    ask: SnapshotAsk,
    schedule: Option<schedule::ScheduleState>,
) -> FromAgent {
    let no_pruning = schedule.map(|schedule| schedule.no_pruning).unwrap_or_default();
    let answer = crate::schedule::answer(host, pool, ask, no_pruning).await;
    message(from_agent::Body::Snapshots(answer))
}

/// The answer to a request about snapshots that was not carried out.
pub fn not_done(ask: SnapshotAsk, error: String) -> FromAgent {
    message(from_agent::Body::Snapshots(SnapshotAnswer {
        request_id: ask.request_id,
        error,
        ..SnapshotAnswer::default()
    }))
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

/// What a release would do. With `go` it is begun; the returned bool says so.
pub async fn release(host: Arc<dyn System>, request: ReleaseRequest) -> (FromAgent, bool) {
    let mut reply = ReleaseReply {
        request_id: request.request_id,
        ..ReleaseReply::default()
    };
    let begun = async {
        let plan = release::plan(host.as_ref()).await?;
        let goes = request.go && plan.refused.is_empty();
        if goes {
            release::begin(host.as_ref(), &plan).await?;
        }
        Ok::<_, ReleaseError>((plan, goes))
    };
    let mut leaving = false;
    match begun.await {
        Ok((plan, goes)) => {
            reply.starts = plan.takes_over();
            (reply.stops, reply.goes_on, reply.refused) = (plan.stops, plan.continues, plan.refused);
            leaving = goes;
        }
        Err(error) => reply.error = in_full(&error),
    }
    (message(from_agent::Body::Release(reply)), leaving)
}
