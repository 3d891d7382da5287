use std::time::Duration;

use heeler_host::System;
use heeler_proto::KeepCopies;
use heeler_tasks::snapshot::copy;

use super::memory::CopyMemory;
use super::scrubs::past;

/// How often the copies on the pool are looked at, and one is tried that is due, in seconds.
const LOOK_S: u64 = 60 * 60;
/// Time limit of a look and a copy together: a pool may stop answering meanwhile.
const LIMIT: Duration = Duration::from_secs(600);

/// What the schedule of copies stores until the agent ends.
#[derive(Default)]
pub struct Copies {
    /// The schedule of the last look, and when it was, Unix seconds.
    looked: Option<(KeepCopies, u64)>,
}

impl Copies {
    /// Looks at the copies once an hour, and makes one that is due. `sure` says that the clock follows a time server and
    /// has not jumped; if not, twice as many copies stay, because a wrong clock may make them too often.
    pub async fn turn(
        &mut self,
        host: &dyn System,
        wanted: &KeepCopies,
        memory: &mut CopyMemory,
        sure: bool,
        now_s: u64,
    ) {
        if memory.pool != wanted.pool.as_str() {
            *memory = CopyMemory {
                pool: wanted.pool.to_string(),
                since_s: now_s,
                ..CopyMemory::default()
            };
        }
        if sure {
            memory.since_s = memory.since_s.min(now_s);
        }
        let looked_s = match &self.looked {
            Some((by, at_s)) if by == wanted => past(*at_s, now_s),
            _ => 0,
        };
        if now_s < looked_s.saturating_add(LOOK_S) {
            return;
        }
        self.looked = Some((wanted.clone(), now_s));
        let keep = wanted.keep as usize * if sure { 1 } else { 2 };
        let mut done = Err(format!("the pool did not answer within {} s", LIMIT.as_secs()));
        let turn = async { done = look_and_copy(host, wanted, keep, now_s).await };
        host.in_time("the copy of the SD card", LIMIT, Box::pin(turn)).await;
        match done {
            Ok(last_s) => {
                memory.last_s = last_s;
                memory.problem.clear();
            }
            Err(problem) => memory.problem = problem,
        }
    }
}

/// Returns when the newest copy was made, Unix seconds.
async fn look_and_copy(host: &dyn System, wanted: &KeepCopies, keep: usize, now_s: u64) -> Result<u64, String> {
    match copy::newest_s(host, wanted.pool.as_str(), now_s).await? {
        Some(last_s) if now_s < last_s.saturating_add(copy::DAY_S) => Ok(last_s),
        _ => copy::make(host, wanted, keep).await,
    }
}

/// When the newest copy was made, 0 when none is known of; and when the next one is overdue. Both Unix seconds.
pub fn times(memory: &CopyMemory, now_s: u64) -> (u64, u64) {
    let last_s = past(memory.last_s, now_s);
    let since_s = last_s.max(memory.since_s.min(now_s));
    (last_s, since_s.saturating_add(copy::OVERDUE_S))
}
