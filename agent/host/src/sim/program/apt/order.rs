//! The order of versions (deb-version(7)).

use std::cmp::Ordering;

pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let split = |version: &str| {
        let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        (
            epoch.parse::<u32>().unwrap_or_default(),
            upstream.to_owned(),
            revision.to_owned(),
        )
    };
    let (a, b) = (split(a), split(b));
    a.0.cmp(&b.0)
        .then_with(|| part(&a.1, &b.1))
        .then_with(|| part(&a.2, &b.2))
}

/// Compares runs of other characters and numbers in turn.
fn part(mut a: &str, mut b: &str) -> Ordering {
    loop {
        let (words, rest) = (cut(&mut a, false), cut(&mut b, false));
        let longest = words.len().max(rest.len());
        // An end comes after a tilde and before everything else.
        let weigh = |text: &str| -> Vec<i32> {
            let weight = |c: char| match c {
                '~' => -1,
                c if c.is_ascii_alphabetic() => c as i32,
                c => c as i32 + 256,
            };
            text.chars()
                .map(weight)
                .chain(std::iter::repeat(0))
                .take(longest + 1)
                .collect()
        };
        let numbers = [cut(&mut a, true), cut(&mut b, true)].map(|digits| digits.parse::<u64>().unwrap_or_default());
        let order = weigh(words).cmp(&weigh(rest)).then(numbers[0].cmp(&numbers[1]));
        if order.is_ne() || a.is_empty() && b.is_empty() {
            return order;
        }
    }
}

/// Takes the digits, or what comes before the next digit, from the front.
fn cut<'a>(text: &mut &'a str, digits: bool) -> &'a str {
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    let (front, rest) = text.split_at(end);
    *text = rest;
    front
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_dpkgs_order() {
        let ascending = [
            "2.3.9-0+deb13u1",
            "2.4.1-1~bpo13+1~rpt1",
            "2.4.1-1",
            "2.4.1-pve2",
            "2.4.4-pve1",
            "2.10",
            "1:0.1",
        ];
        for pair in ascending.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        assert_eq!(compare("1.0-1", "1.0-1"), Ordering::Equal);
    }
}
