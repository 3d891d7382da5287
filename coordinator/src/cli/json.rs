//! What `--json` prints: messages as they serialize themselves, with the number of the schema. docs/json describes them.

use heeler_proto::json::{Failure, FailureCause, Mistake};
use serde::Serialize;

use super::Exit;
use crate::config::ConfigError;

/// Number of the schema in every document.
const SCHEMA: u32 = 2;

#[derive(Serialize)]
struct Document<D> {
    schema: u32,
    #[serde(flatten)]
    document: D,
}

fn numbered<D: Serialize>(document: D) -> Document<D> {
    Document {
        schema: SCHEMA,
        document,
    }
}

/// The document on one line. It has no maps with other keys than texts, so this cannot fail.
pub(super) fn line<D: Serialize>(document: D) -> String {
    serde_json::to_string(&numbered(document)).unwrap_or_default()
}

/// The document on many lines, for people.
pub(super) fn pretty<D: Serialize>(document: D) -> String {
    serde_json::to_string_pretty(&numbered(document)).unwrap_or_default()
}

/// The document of an error: what failed, and what to type.
pub(super) fn failure((message, next): (String, String), exit: Exit, mistakes: &[ConfigError]) -> Failure {
    let number = |of: usize| u32::try_from(of).unwrap_or(u32::MAX);
    let mistakes = mistakes.iter().map(|mistake| Mistake {
        line: number(mistake.place.line),
        column: number(mistake.place.column),
        message: mistake.message.clone(),
        hint: mistake.hint.clone(),
    });
    Failure {
        error: Some(FailureCause {
            message,
            next,
            exit: exit as u32,
            heeler_toml: mistakes.collect(),
        }),
    }
}
