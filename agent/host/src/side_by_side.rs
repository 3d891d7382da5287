//! Runs many futures in parallel, so that a slow one does not delay the others.

use std::future::poll_fn;
use std::task::Poll;

/// The results in the order of the futures.
pub async fn side_by_side<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut under_way: Vec<_> = all.map(|one| (Box::pin(one), None)).collect();
    poll_fn(|context| {
        let mut waits = false;
        for (one, done) in under_way.iter_mut().filter(|(_, done)| done.is_none()) {
            match one.as_mut().poll(context) {
                Poll::Ready(result) => *done = Some(result),
                Poll::Pending => waits = true,
            }
        }
        if waits { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    under_way.into_iter().filter_map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests {
    use tokio::sync::Barrier;

    use super::*;

    #[tokio::test]
    async fn looks_run_in_parallel_and_keep_their_order() {
        let all_here = Barrier::new(3);
        let looks = (0..3).map(|number| {
            let all_here = &all_here;
            async move {
                all_here.wait().await;
                number
            }
        });
        assert_eq!(side_by_side(looks).await, [0, 1, 2]);
    }
}
