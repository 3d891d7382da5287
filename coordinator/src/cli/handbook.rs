use heeler_proto::json::handbook::Inline;
use heeler_proto::json::{FirstAid, Handbook};
use heeler_proto::v1::{HandbookReply, HandbookRequest};
use heeler_store::Store;

use super::error::failed;
use super::{CliError, Console, Context, Exit, Result};
use crate::app::{AppError, handbook};
use crate::screen::{self, CASES, NEVER};
use crate::state::StateFolder;

pub(super) const AFTER: &str = "\
Print it and put it where the machines are:
  heeler handbook | lp
It needs no running coordinator, only its state folder, and holds no secret.";

pub(super) async fn run(context: &Context<'_>, console: &mut Console<'_>) -> Result<Exit> {
    let book = match context.client().await {
        Ok(mut client) => client.handbook(HandbookRequest {}).await?.into_inner(),
        Err(CliError::NotRunning(_)) => {
            let state = StateFolder::new(context.state());
            if !state.database().exists() {
                return Err(CliError::NoState(context.state()));
            }
            read(&state, context.clock.now_ms()).await.map_err(failed)?
        }
        Err(error) => return Err(error),
    };
    let zone = console.zone.clone();
    console.answer(document(&book), |width| screen::handbook(&book, &zone, width))
}

/// Reads the handbook from a state folder without a running coordinator.
async fn read(state: &StateFolder, now_ms: u64) -> Result<HandbookReply, AppError> {
    let store = Store::open(&state.database()).await?;
    let book = handbook(&mut store.read().await?, state, now_ms).await;
    store.close().await;
    book
}

fn document(book: &HandbookReply) -> Handbook {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let cases = CASES.iter().map(|case| FirstAid {
        when: case.when.to_owned(),
        steps: owned(case.steps),
    });
    Handbook {
        never: owned(NEVER),
        first_aid: cases.collect(),
        inline: Some(Inline::Book(book.clone())),
    }
}
