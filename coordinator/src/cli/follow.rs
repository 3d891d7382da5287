use std::time::Duration;

use heeler_proto::v1::{EventsRequest, FleetEvent};

use super::{CliError, Client, Context, Exit, Result};

/// First wait before a new connection; it doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_millis(250);
/// Longest wait between two tries.
const LONGEST: Duration = Duration::from_secs(5);
/// After this long without a connection, following ends with an error.
const PATIENCE: Duration = Duration::from_secs(600);

/// An item of the followed stream.
pub(super) enum News {
    /// An event; each arrives once.
    Event(Box<FleetEvent>),
    /// The connection is lost, and is being tried again.
    Lost,
    /// The connection is back; missed events follow.
    Back,
}

/// Passes every event after `request.after` to `take` until that returns an exit code. Reconnects after a lost
/// connection and continues with the next event. Fails when the first connection fails, the coordinator refuses, or it
/// cannot be reached for ten minutes.
pub(super) async fn follow(
    context: &Context<'_>,
    mut request: EventsRequest,
    mut take: impl AsyncFnMut(News) -> Result<Option<Exit>>,
) -> Result<Exit> {
    let mut client = context.client().await?;
    loop {
        match stream(&mut client, &mut request, &mut take).await {
            Ok(Some(exit)) => return Ok(exit),
            Ok(None) | Err(CliError::Lost) => {}
            Err(error) => return Err(error),
        }
        take(News::Lost).await?;
        client = again(context).await?;
        take(News::Back).await?;
    }
}

async fn again(context: &Context<'_>) -> Result<Client> {
    let mut wait = FIRST;
    let mut waited = Duration::ZERO;
    while waited < PATIENCE {
        tokio::time::sleep(wait).await;
        if let Ok(client) = context.client().await {
            return Ok(client);
        }
        waited += wait;
        wait = (wait * 2).min(LONGEST);
    }
    Err(CliError::Lost)
}

async fn stream(
    client: &mut Client,
    request: &mut EventsRequest,
    take: &mut impl AsyncFnMut(News) -> Result<Option<Exit>>,
) -> Result<Option<Exit>> {
    let mut events = client.events(request.clone()).await.map_err(lost)?.into_inner();
    while let Some(event) = events.message().await.map_err(lost)? {
        // Progress has no number.
        if event.id > 0 && event.id <= request.after {
            continue;
        }
        request.after = request.after.max(event.id);
        if event.id > 0 {
            // After a reconnection every later event is wanted, not only the last ones.
            request.last = 0;
        }
        if let Some(exit) = take(News::Event(Box::new(event))).await? {
            return Ok(Some(exit));
        }
    }
    Ok((!request.follow).then_some(Exit::Fine))
}

/// A broken stream ends with many codes. Only these few are the coordinator's answer; all others are a lost
/// connection.
fn lost(status: tonic::Status) -> CliError {
    use tonic::Code;
    match status.code() {
        Code::NotFound | Code::InvalidArgument | Code::PermissionDenied | Code::FailedPrecondition => status.into(),
        _ => CliError::Lost,
    }
}
