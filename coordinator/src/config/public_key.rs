//! OpenPGP public keys: the one with a given fingerprint, out of a text (RFC 4880).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use heeler_proto::{Fingerprint, PublicKey};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// The key with this fingerprint among the keys of `text`, alone. Fails with what is wrong with the text.
pub(super) fn pick(text: &str, fingerprint: &Fingerprint) -> Result<PublicKey, String> {
    let bytes = unarmoured(text)?;
    let keys = keys(&bytes)?;
    let found = keys.iter().find(|(one, _)| one == fingerprint.as_str());
    let Some((_, key)) = found else {
        let others: Vec<&str> = keys.iter().map(|(one, _)| one.as_str()).collect();
        return Err(format!("it is the key {}, not {fingerprint}", others.join(" and ")));
    };
    PublicKey::new(&armoured(key)).map_err(|_| "the key is larger than 16 KiB".to_owned())
}

/// The bytes of all blocks in ASCII armour, each with its checksum.
fn unarmoured(text: &str) -> Result<Vec<u8>, String> {
    let mut lines = text.lines().map(str::trim);
    let mut bytes = Vec::new();
    while lines.any(|line| line == PublicKey::BEGIN.trim_end()) {
        // Headers such as "Comment:" end with an empty line.
        let body = lines
            .by_ref()
            .skip_while(|line| line.contains(':'))
            .skip_while(|line| line.is_empty());
        let body: Vec<&str> = body.take_while(|line| !line.starts_with("-----")).collect();
        let (data, sum): (Vec<&str>, Vec<&str>) = body.iter().partition(|line| !line.starts_with('='));
        let block = BASE64_STANDARD
            .decode(data.concat())
            .map_err(|_| "it is damaged: it is not base64")?;
        let sum = sum.first().and_then(|sum| sum.strip_prefix('='));
        if sum.is_some_and(|sum| sum != checksum(&block)) {
            return Err("it is damaged: its checksum does not fit".to_owned());
        }
        bytes.extend(block);
    }
    match bytes.is_empty() {
        true => Err(format!("it has no line {}", PublicKey::BEGIN.trim_end())),
        false => Ok(bytes),
    }
}

/// Tag of the packet that begins a public key.
const PUBLIC_KEY: u8 = 6;

/// Fingerprint and bytes of each public key with all that belongs to it.
fn keys(bytes: &[u8]) -> Result<Vec<(String, &[u8])>, String> {
    let mut begun: Vec<(String, usize)> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let (tag, body) = packet(&bytes[at..]).ok_or("it is damaged: a packet breaks off")?;
        let content = &bytes[at + body.start..at + body.end];
        if tag == PUBLIC_KEY {
            if content.first() != Some(&4) {
                return Err("its version is not 4, the only one that apt of Debian 13 takes".to_owned());
            }
            begun.push((fingerprint(content), at));
        }
        at += body.end;
    }
    if begun.is_empty() || begun[0].1 != 0 {
        return Err("it is not a public key".to_owned());
    }
    let ends = begun.iter().skip(1).map(|(_, at)| *at).chain([bytes.len()]);
    let keys = begun
        .iter()
        .zip(ends)
        .map(|((name, from), to)| (name.clone(), &bytes[*from..to]));
    Ok(keys.collect())
}

/// Tag of the first packet, and where its body is (section 4.2); None when it breaks off, or has no definite length.
fn packet(bytes: &[u8]) -> Option<(u8, std::ops::Range<usize>)> {
    let number = |from: usize, count: usize| {
        let digits = bytes.get(from..from + count)?;
        Some(digits.iter().fold(0, |all, digit| all << 8 | usize::from(*digit)))
    };
    let first = *bytes.first()?;
    let (tag, start, length) = match first {
        0xc0.. => {
            let (start, length) = match number(1, 1)? {
                short @ 0..192 => (2, short),
                long @ 192..224 => (3, ((long - 192) << 8) + number(2, 1)? + 192),
                255 => (6, number(2, 4)?),
                _ => return None,
            };
            (first & 0x3f, start, length)
        }
        0x80..0xc0 if first & 3 < 3 => {
            let count = 1 << (first & 3);
            ((first >> 2) & 0xf, 1 + count, number(1, count)?)
        }
        _ => return None,
    };
    let end = start.checked_add(length)?;
    (end <= bytes.len()).then_some((tag, start..end))
}

/// Section 12.2.
fn fingerprint(body: &[u8]) -> String {
    let length = u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes();
    let hashed = [&[0x99], length.as_slice(), body].concat();
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, &hashed);
    heeler_proto::hex(digest.as_ref()).to_uppercase()
}

/// Section 6.1.
fn checksum(bytes: &[u8]) -> String {
    let sum = bytes.iter().fold(0x00b7_04ce_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte) << 16, |sum, _| {
            let shifted = sum << 1;
            if shifted & 0x0100_0000 == 0 {
                shifted
            } else {
                shifted ^ 0x0186_4cfb
            }
        })
    });
    BASE64_STANDARD.encode(&sum.to_be_bytes()[1..])
}

fn armoured(bytes: &[u8]) -> String {
    let body = BASE64_STANDARD.encode(bytes);
    let lines: Vec<&str> = (0..body.len())
        .step_by(64)
        .map(|at| &body[at..body.len().min(at + 64)])
        .collect();
    format!(
        "{}{}\n={}\n{}",
        PublicKey::BEGIN,
        lines.join("\n"),
        checksum(bytes),
        PublicKey::END
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::proxmox::{OFFICIAL_KEY, OFFICIAL_PUBLIC_KEY};

    fn picked(text: &str, fingerprint: &str) -> Result<String, String> {
        pick(text, &Fingerprint::new(fingerprint).unwrap()).map(String::from)
    }

    #[test]
    fn proxmoxs_key_has_the_fingerprint_that_proxmox_publishes() {
        assert_eq!(picked(OFFICIAL_PUBLIC_KEY, OFFICIAL_KEY).unwrap(), OFFICIAL_PUBLIC_KEY);
    }

    #[test]
    fn only_the_wanted_one_of_several_keys_is_taken() {
        let small = include_str!("tests/other-key.asc");
        let both = format!(
            "# a comment\n{}\n{OFFICIAL_PUBLIC_KEY}",
            small.replace("BLOCK-----\n\n", "BLOCK-----\nComment: x\n\n")
        );
        assert_eq!(picked(&both, OFFICIAL_KEY).unwrap(), OFFICIAL_PUBLIC_KEY);
        let other = "CD9BF7BBE3C899D1C14AE47E9B09CBEB81847B8D";
        assert_eq!(picked(&both, other).unwrap(), small);
        assert_eq!(
            picked(small, OFFICIAL_KEY).unwrap_err(),
            format!("it is the key {other}, not {OFFICIAL_KEY}")
        );
    }

    #[test]
    fn a_damaged_key_is_refused() {
        let without_sum = OFFICIAL_PUBLIC_KEY.replace("=AAh0\n", "");
        assert!(picked(&without_sum, OFFICIAL_KEY).is_ok());
        for (from, to, problem) in [
            ("mQINBGcwscgB", "mQINBGcwscgC", "checksum"),
            ("=AAh0", "=AAh1", "checksum"),
            ("mQINBGcw", "mQIN?Gcw", "base64"),
            ("-----BEGIN", "----BEGIN", "no line"),
        ] {
            let text = OFFICIAL_PUBLIC_KEY.replacen(from, to, 1);
            assert!(picked(&text, OFFICIAL_KEY).unwrap_err().contains(problem), "{to}");
        }
        let changed = without_sum.replacen("mQINBGcwscgB", "mQINBGcwscgC", 1);
        assert!(
            picked(&changed, OFFICIAL_KEY).unwrap_err().contains("it is the key"),
            "another fingerprint"
        );
    }

    #[test]
    fn no_length_leads_beyond_the_end() {
        let bytes = unarmoured(OFFICIAL_PUBLIC_KEY).unwrap();
        for end in 0..bytes.len() {
            let cut = keys(&bytes[..end]);
            let whole = cut.is_ok_and(|keys| keys[0].0 == OFFICIAL_KEY);
            // After the key itself it may break off between two packets.
            assert!(!whole || end >= 3 + 525, "{end}");
        }
        for first in 0..=255 {
            assert!(keys(&[first, 0xff, 0xff, 0xff, 0xff, 0xff]).is_err(), "{first}");
        }
    }
}
