use super::{CliError, Console, Result};
use crate::screen::{Line, wrap};
use crate::trust::UnsignedClaim;

/// Shows a fingerprint that no trusted operator has signed, and asks. No option answers this question.
pub(super) fn confirm(claim: &UnsignedClaim, console: &mut Console<'_>) -> Result<()> {
    if !console.person.is_there() {
        return Err(CliError::NobodyToAsk(claim.refusal()).next("Nothing was signed."));
    }
    let width = console.screen.width;
    console.aside(
        &wrap(&claim.warning(), width)
            .into_iter()
            .map(Line::of)
            .collect::<Vec<_>>(),
    );
    let answer = console.person.ask(&claim.question()).ok().flatten().unwrap_or_default();
    match answer == claim.word() {
        true => Ok(()),
        false => Err(CliError::NotConfirmed(format!("{answer:?} is not {}", claim.word()))),
    }
}
