use heeler_proto::v1::SecretInfo;

use super::amount::ago;
use super::table::{plain, table};
use super::{Ink, Line};

/// Names and dates of the secrets; never their values.
pub fn secrets(secrets: &[SecretInfo], now_ms: u64) -> Vec<Line> {
    if secrets.is_empty() {
        return vec![Line::of("No secret is set. To set one: heeler secret set NAME")];
    }
    let row = |secret: &SecretInfo| {
        let state = match secret.opens {
            true => (Ink::Green, "ok"),
            false => (Ink::Red, "DOES NOT OPEN: set it again"),
        };
        vec![
            (Ink::Bold, secret.name.clone()),
            plain(ago(secret.set_at_ms, now_ms)),
            plain(&secret.set_by),
            (state.0, state.1.to_owned()),
        ]
    };
    table(&["SECRET", "SET", "BY", "STATE"], secrets.iter().map(row).collect())
}
