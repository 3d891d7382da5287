use std::time::Duration;

use heeler_proto::v1::{EventsRequest, FleetEvent};

use super::{CliError, Client, Context, Exit};

/// First wait before another try, doubled up to the longest.
const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);
/// Then a person should look.
const PATIENCE: Duration = Duration::from_secs(600);

/// What comes while events are followed.
#[derive(Debug)]
pub(super) enum News {
    /// One event, once.
    Event(Box<FleetEvent>),
    /// The connection is gone; it is tried again.
    Lost,
    /// It is back, and what was missed comes first.
    Back,
}

/// Hands every event after `request.after` to `take`, each once, until it says that it has seen enough; over lost
/// connections, from the last one on.
///
/// # Errors
/// When there is no coordinator to begin with, when it refuses, and when it stays away for ten minutes.
pub(super) async fn follow(
    context: &Context<'_>,
    mut request: EventsRequest,
    mut take: impl AsyncFnMut(News) -> Result<Option<Exit>, CliError>,
) -> Result<Exit, CliError> {
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

async fn again(context: &Context<'_>) -> Result<Client, CliError> {
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
    take: &mut impl AsyncFnMut(News) -> Result<Option<Exit>, CliError>,
) -> Result<Option<Exit>, CliError> {
    let mut events = client.events(request.clone()).await.map_err(lost)?.into_inner();
    while let Some(event) = events.message().await.map_err(lost)? {
        // Progress is numbered by nobody.
        if event.id > 0 && event.id <= request.after {
            continue;
        }
        request.after = request.after.max(event.id);
        if event.id > 0 {
            // What comes after it is wanted whole, over lost connections too.
            request.last = 0;
        }
        if let Some(exit) = take(News::Event(Box::new(event))).await? {
            return Ok(Some(exit));
        }
    }
    Ok((!request.follow).then_some(Exit::Fine))
}

/// A stream that breaks off ends in many ways; all but a clear no are a lost connection.
fn lost(status: tonic::Status) -> CliError {
    use tonic::Code;
    match status.code() {
        Code::NotFound | Code::InvalidArgument | Code::PermissionDenied | Code::FailedPrecondition => status.into(),
        _ => CliError::Lost,
    }
}
