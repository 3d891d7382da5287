//! Who asks, for as long as one call of theirs is carried out.

tokio::task_local! {
    static CALLER: String;
}

/// What acts when nobody asks.
pub const COORDINATOR: &str = "coordinator";

/// Carries out `call` for `who`.
pub async fn asked_by<T>(who: String, call: impl Future<Output = T>) -> T {
    CALLER.scope(who, call).await
}

/// For whom this is carried out.
#[must_use]
pub fn caller() -> String {
    CALLER.try_with(Clone::clone).unwrap_or_else(|_| COORDINATOR.to_owned())
}
