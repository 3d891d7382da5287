use crate::v1::Blocked;

impl Blocked {
    /// What to do, as one clause. `place` says where in heeler.toml, such as ", line 7"; empty when that is not known.
    pub fn advice(&self, place: &str) -> String {
        advice(place, &self.edit, &self.next)
    }
}

/// [`Blocked::advice`] of its parts.
pub fn advice(place: &str, edit: &str, next: &str) -> String {
    match (edit, next) {
        ("", next) => next.to_owned(),
        (edit, "") => format!("in heeler.toml{place}: {edit}"),
        (edit, next) => format!("in heeler.toml{place}: {edit}; then: {next}"),
    }
}
