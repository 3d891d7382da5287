use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Most callers remembered at once; further ones must wait.
const REMEMBERED: usize = 1024;

/// Allows each caller `burst` attempts at once, then one for every `every_ms`.
pub(super) struct Throttle<K> {
    burst: u64,
    every_ms: u64,
    // When each caller may again make `burst` attempts at once, Unix milliseconds.
    full_at_ms: Mutex<HashMap<K, u64>>,
}

impl<K: Hash + Eq + Clone> Throttle<K> {
    pub(super) fn new(burst: u64, every_ms: u64) -> Self {
        Self {
            burst,
            every_ms,
            full_at_ms: Mutex::default(),
        }
    }

    /// Whether the caller may try now; counts the attempt if so.
    pub(super) fn allows(&self, caller: &K, now_ms: u64) -> bool {
        let mut buckets = self.full_at_ms.lock().unwrap_or_else(PoisonError::into_inner);
        // A later time was stored before the clock went back: that caller begins anew.
        let latest = now_ms.saturating_add(self.burst.saturating_mul(self.every_ms));
        let counted = now_ms.saturating_add(1)..=latest;
        if buckets.len() >= REMEMBERED {
            buckets.retain(|_, full_at| counted.contains(full_at));
        }
        if buckets.len() >= REMEMBERED && !buckets.contains_key(caller) {
            return false;
        }
        let full_at = buckets.entry(caller.clone()).or_insert(0);
        if !counted.contains(full_at) {
            *full_at = now_ms;
        }
        let next = full_at.saturating_add(self.every_ms);
        let allowed = next <= latest;
        if allowed {
            *full_at = next;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_is_throttled_alone() {
        let throttle = Throttle::new(3, 1_000);
        assert!((0..3).all(|_| throttle.allows(&"a", 0)));
        assert!(!throttle.allows(&"a", 0));
        assert!(throttle.allows(&"b", 0));
        assert!(throttle.allows(&"a", 1_000));
        assert!(!throttle.allows(&"a", 1_000));
        assert!((0..3).all(|_| throttle.allows(&"a", 100_000)));
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        const YEAR: u64 = 366 * 24 * 60 * 60 * 1000;
        let throttle = Throttle::new(3, 1_000);
        assert!(throttle.allows(&"a", YEAR));
        assert!((0..3).all(|_| throttle.allows(&"a", 0)));
        assert!(!throttle.allows(&"a", 0));
        let many = Throttle::new(3, 1_000);
        for caller in 0..REMEMBERED {
            many.allows(&caller, YEAR);
        }
        assert!(many.allows(&REMEMBERED, 0), "callers of the other time are forgotten");
    }

    #[test]
    fn many_callers_do_not_fill_the_memory() {
        let throttle = Throttle::new(3, 1_000);
        for caller in 0..5_000 {
            throttle.allows(&caller, 0);
        }
        assert!(throttle.full_at_ms.lock().unwrap().len() <= REMEMBERED);
        assert!(throttle.allows(&9_999, 1_000));
    }
}
