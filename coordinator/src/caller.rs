//! The name of the caller, for the duration of a call.

tokio::task_local! {
    static CALLER: String;
}

/// The name for what the coordinator does by itself.
pub const COORDINATOR: &str = "coordinator";

/// Runs `call` in the name of `who`.
pub async fn asked_by<T>(who: String, call: impl Future<Output = T>) -> T {
    CALLER.scope(who, call).await
}

/// The name of the current caller; [`COORDINATOR`] outside a call.
#[must_use]
pub fn caller() -> String {
    CALLER.try_with(Clone::clone).unwrap_or_else(|_| COORDINATOR.to_owned())
}
