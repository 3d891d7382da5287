use std::time::Duration;

const SHORTEST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 60_000;

/// How long to wait after the `failures`-th failure in sequence (1 or more): a random time from one second to a limit
/// that doubles with each failure, up to a minute. `random` is uniform over all of `u64`, so that nodes do not all
/// reconnect at the same moment.
pub fn delay(failures: u32, random: u64) -> Duration {
    let doubled = SHORTEST_MS.saturating_mul(1 << failures.min(16));
    let bound = doubled.min(LONGEST_MS);
    Duration::from_millis(SHORTEST_MS + random % (bound - SHORTEST_MS + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_delay_lies_between_a_second_and_a_minute() {
        for failures in [0, 1, 2, 5, 6, 7, 31, 64, u32::MAX] {
            for random in [0, 1, 999, 59_000, 59_001, u64::MAX / 3, u64::MAX] {
                let delay = delay(failures, random).as_millis();
                assert!((1_000..=60_000).contains(&delay), "{failures} {random}: {delay}");
            }
        }
    }

    #[test]
    fn the_bound_doubles_with_each_failure_until_a_minute() {
        let longest = |failures| (0..=60_000).map(|random| delay(failures, random)).max();
        for (failures, seconds) in [(1, 2), (2, 4), (3, 8), (5, 32), (6, 60), (40, 60)] {
            assert_eq!(longest(failures), Some(Duration::from_secs(seconds)), "{failures}");
        }
    }
}
