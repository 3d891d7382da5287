use heeler_host::System;
use heeler_host::zpool::PoolStatus;
use heeler_proto::KeepScrubs;
use heeler_tasks::engine::{Event, Scrub, in_full};
use heeler_tasks::snapshot::scrub;

use super::memory::ScrubMemory;

/// How far a time may lie in the future: a clock correction may go back a little.
const SLACK_S: u64 = 60;

/// `at_s`, or 0 when it is in the future, because the clock was wrong then.
pub const fn past(at_s: u64, now_s: u64) -> u64 {
    if at_s > now_s.saturating_add(SLACK_S) { 0 } else { at_s }
}

pub fn due(wanted: &KeepScrubs, memory: &ScrubMemory, now_s: u64) -> bool {
    let known = past(memory.last_s, now_s).max(past(memory.tried_s, now_s));
    let last_s = known.max(memory.since_s.min(now_s));
    !memory.running && scrub::is_due(wanted, last_s, now_s)
}

/// Follows a running scrub, or starts one that is due. `believed` says that the clock has not jumped. Returns the
/// progress.
pub async fn turn(
    host: &dyn System,
    wanted: &KeepScrubs,
    pool: &PoolStatus,
    memory: &mut ScrubMemory,
    believed: bool,
    now_s: u64,
    events: &mut Vec<Event>,
) -> Option<Event> {
    let told = |what, text: String, errors: u64| Event::Scrub {
        pool: pool.name.clone(),
        what,
        text,
        errors,
    };
    let percent = scrub::percent(pool);
    if memory.running && percent == 0 {
        memory.running = false;
        match scrub::finished_s(pool).filter(|end_s| *end_s >= past(memory.tried_s, now_s)) {
            Some(_) if pool.errors == 0 => events.push(told(Scrub::Finished, "no errors".to_owned(), 0)),
            Some(_) => {
                let text = format!("{} data errors: zpool status -v {}", pool.errors, pool.name);
                events.push(told(Scrub::Finished, text, pool.errors));
            }
            None => {
                // A scrub that a resilver replaced is due again. One that a person stopped waits for the next time of
                // the schedule.
                let scan = pool.scan.as_ref();
                let by_resilver = scan.is_some_and(|scan| scan.function == "RESILVER");
                if by_resilver {
                    memory.tried_s = 0;
                }
                let why = if by_resilver {
                    "a resilver took its place"
                } else {
                    "somebody stopped it"
                };
                events.push(told(Scrub::Stopped, why.to_owned(), 0));
            }
        }
    }
    if believed {
        let end_s = past(scrub::finished_s(pool).unwrap_or(0), now_s);
        memory.last_s = memory.last_s.max(end_s.min(now_s));
    }
    // A scrub that somebody else started counts too.
    let runs = percent > 0 && !pool.scan.as_ref().is_some_and(|scan| scan.paused);
    if !runs && due(wanted, memory, now_s) {
        match scrub::obstacle(pool) {
            Some(obstacle) => {
                if memory.obstacle != obstacle {
                    events.push(told(Scrub::PutOff, obstacle.clone(), 0));
                    memory.obstacle = obstacle;
                }
            }
            None => match scrub::begin(host, &pool.name).await {
                Ok(()) => {
                    (memory.running, memory.tried_s) = (true, now_s);
                    memory.obstacle.clear();
                    events.push(told(Scrub::Started, String::new(), 0));
                }
                Err(error) => {
                    let text = in_full(&error);
                    if memory.obstacle != text {
                        events.push(told(Scrub::PutOff, text.clone(), 0));
                        memory.obstacle = text;
                    }
                }
            },
        }
    }
    let done = percent.checked_sub(1)?;
    Some(Event::Progress {
        step: "Scrub".to_owned(),
        text: format!("scrub of {}: {done} %", pool.name),
        percent: u8::try_from(done).ok(),
    })
}
