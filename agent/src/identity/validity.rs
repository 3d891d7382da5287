/// When a certificate is valid, Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The certificate's notBefore.
    pub from_ms: u64,
    /// The certificate's notAfter.
    pub until_ms: u64,
}

impl Validity {
    /// From an X.509 certificate in DER (RFC 5280, section 4.1); None when it is not one.
    pub fn of(certificate: &[u8]) -> Option<Self> {
        // Skips serial number, signature algorithm and issuer.
        let rest = after(certificate, 3)?;
        let (SEQUENCE, validity, _) = element(rest)? else {
            return None;
        };
        let (from_tag, from, rest) = element(validity)?;
        let (until_tag, until, _) = element(rest)?;
        Some(Self {
            from_ms: unix_ms(from_tag, from)?,
            until_ms: unix_ms(until_tag, until)?,
        })
    }

    /// When it is renewed: after 70 % of its validity, Unix milliseconds.
    pub const fn renew_at_ms(self) -> u64 {
        self.from_ms
            .saturating_add(self.until_ms.saturating_sub(self.from_ms) / 10 * 7)
    }
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The content of a certificate after its version and `fields` more fields.
pub(super) fn after(certificate: &[u8], fields: usize) -> Option<&[u8]> {
    let (SEQUENCE, certificate, _) = element(certificate)? else {
        return None;
    };
    let (SEQUENCE, mut rest, _) = element(certificate)? else {
        return None;
    };
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    for _ in 0..fields {
        rest = element(rest)?.2;
    }
    Some(rest)
}

/// The tag and content of the first element, and the bytes after it.
pub(super) fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn unix_ms(tag: u8, text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = (number(text.get(..2)?)?, text.get(2..)?);
            (year + if year < 50 { 2000 } else { 1900 }, rest)
        }
        GENERALIZED_TIME => (number(text.get(..4)?)?, text.get(4..)?),
        _ => return None,
    };
    let part = |at: usize| number(rest.get(2 * at..2 * at + 2)?);
    let (month, day) = (part(0)?, part(1)?);
    if rest.len() != 10 || year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = (days(year, month, day) * 24 + part(2)?) * 3600 + part(3)? * 60 + part(4)?;
    Some(seconds * 1000)
}

fn number(digits: &str) -> Option<u64> {
    digits
        .bytes()
        .all(|c| c.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

/// Days since 1 January 1970, in the Gregorian calendar.
fn days(year: u64, month: u64, day: u64) -> u64 {
    const BEFORE_MONTH: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    let this_year = leaps(year) - leaps(year - 1);
    (year - 1970) * 365 + leaps(year - 1) - leaps(1969)
        + BEFORE_MONTH[month as usize - 1]
        + if month > 2 { this_year } else { 0 }
        + day
        - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(from: (i32, u8, u8), until: (i32, u8, u8)) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
        params.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn both_forms_of_time_are_read_as_unix_time() {
        for (date, seconds) in [
            ((1970, 1, 1), 0),
            ((2000, 2, 29), 951_782_400),
            ((2024, 12, 31), 1_735_603_200),
            ((2038, 1, 19), 2_147_472_000),
            ((2049, 12, 31), 2_524_521_600),
            ((2050, 1, 1), 2_524_608_000),
            ((2100, 3, 1), 4_107_542_400),
        ] {
            let found = Validity::of(&certificate(date, (2200, 1, 1))).unwrap();
            assert_eq!(found.from_ms, seconds * 1000, "{date:?}");
            assert_eq!(found.until_ms, 7_258_118_400_000);
        }
    }

    #[test]
    fn a_truncated_certificate_is_refused() {
        let whole = certificate((2024, 1, 1), (2024, 1, 8));
        for cut in 0..whole.len() {
            assert_eq!(Validity::of(&whole[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn renewal_is_due_at_70_percent_of_the_life() {
        let validity = Validity {
            from_ms: 1_000,
            until_ms: 11_000,
        };
        assert_eq!(validity.renew_at_ms(), 8_000);
    }
}
