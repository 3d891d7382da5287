use super::validity::{after, element};

/// DER tags (X.690): sequence, set, object identifier.
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT: u8 = 0x06;
/// The object identifier of the common name, 2.5.4.3 (X.520).
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// The start of an authority's common name; the cluster's name follows.
const PREFIX: &str = "Heeler CA ";

/// The cluster's name in the X.509 certificate of an authority, in DER (RFC 5280, section 4.1). None when it is not
/// one of Heeler's authorities.
pub fn cluster(certificate: &[u8]) -> Option<String> {
    // Skips serial number, signature algorithm, issuer and validity.
    let rest = after(certificate, 4)?;
    let (SEQUENCE, mut names, _) = element(rest)? else {
        return None;
    };
    while !names.is_empty() {
        let (tag, set, more) = element(names)?;
        names = more;
        let (SET, (SEQUENCE, pair, _)) = (tag, element(set)?) else {
            return None;
        };
        let (OBJECT, kind, value) = element(pair)? else {
            return None;
        };
        if kind == COMMON_NAME {
            let text = std::str::from_utf8(element(value)?.1).ok()?;
            return text.strip_prefix(PREFIX).map(str::to_owned);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "x");
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_authority_names_its_cluster() {
        let whole = named("Heeler CA k8sctl");
        assert_eq!(cluster(&whole).as_deref(), Some("k8sctl"));
        assert_eq!(cluster(&named("Somebody's CA")), None);
        for cut in 0..whole.len() {
            assert_eq!(cluster(&whole[..cut]), None, "cut at {cut}");
        }
    }
}
