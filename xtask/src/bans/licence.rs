//! SPDX licence expressions: can one be satisfied with the licences that we allow?

/// Whether `expression` can be satisfied with `allowed` alone.
///
/// `AND` binds closer than `OR`, `X WITH Y` is one licence, and `/` is crates.io's older spelling of `OR`. A choice that
/// cannot be parsed is not allowed.
pub fn allowed(expression: &str, allowed: &[String]) -> bool {
    let is_satisfied = |plain: &str| {
        let listed = |name: &str| name == SATISFIED || allowed.iter().any(|one| one == name);
        plain
            .split(" OR ")
            .any(|choice| choice.split(" AND ").all(|name| listed(name.trim())))
    };
    let mut rest = expression.replace('/', " OR ");
    // From the innermost brackets outwards.
    while let Some((before, inside)) = rest.rsplit_once('(') {
        let Some((inside, after)) = inside.split_once(')') else {
            return false;
        };
        let word = if is_satisfied(inside) { SATISFIED } else { "-" };
        rest = format!("{before}{word}{after}");
    }
    is_satisfied(&rest)
}

/// Stands for brackets that are satisfied; no licence has this name.
const SATISFIED: &str = "+";

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn a_licence_choice_within_the_list_is_allowed() {
        let list = ["MIT", "Apache-2.0", "Unicode-3.0"].map(str::to_owned);
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("GPL-3.0 OR MIT", true),
            ("MIT/GPL-3.0", true),
            ("MIT AND GPL-3.0", false),
            ("(MIT OR GPL-3.0) AND Unicode-3.0", true),
            ("GPL-3.0 OR MIT AND Unicode-3.0", true),
            ("MIT AND GPL-3.0 OR ISC", false),
            ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", false),
            ("Apache-2.0 WITH LLVM-exception OR MIT", true),
            ("(MIT", false),
            ("MIT MIT", false),
            ("", false),
        ] {
            assert_eq!(allowed(expression, &list), expected, "{expression}");
        }
    }
}
