use heeler_proto::NodeName;
use ring::error::Unspecified;

use super::key::Key;

/// DER tags (X.690).
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const UTF8: u8 = 0x0c;
const BITS: u8 = 0x03;
/// `INTEGER 0`: the version of the request.
const VERSION: [u8; 3] = [0x02, 0x01, 0x00];
/// The object identifier of the common name, 2.5.4.3.
const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
/// `[0]`: no attributes.
const ATTRIBUTES: [u8; 2] = [0xa0, 0x00];
/// The AlgorithmIdentifier ecdsa-with-SHA256, 1.2.840.10045.4.3.2.
const ECDSA_SHA256: [u8; 12] = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

/// A certification request (RFC 2986) for `node`, in DER. Fails when the system gives no randomness.
pub fn request(key: &Key, node: &NodeName) -> Result<Vec<u8>, Unspecified> {
    let pair = [COMMON_NAME.to_vec(), element(UTF8, node.as_str().as_bytes())].concat();
    let subject = element(SEQUENCE, &element(SET, &element(SEQUENCE, &pair)));
    let info = element(SEQUENCE, &[&VERSION[..], &subject, &key.public(), &ATTRIBUTES].concat());
    let unused_bits = [vec![0], key.sign(&info)?].concat();
    let signed = [&info[..], &ECDSA_SHA256, &element(BITS, &unused_bits)].concat();
    Ok(element(SEQUENCE, &signed))
}

/// Tag, length and content, for less than 65,536 bytes.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let [.., high, low] = content.len().to_be_bytes();
    let head = match (high, low) {
        (0, ..=0x7f) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [&head, content].concat()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateSigningRequestParams, DnType, DnValue, PublicKeyData};

    use super::*;

    #[test]
    fn a_request_proves_the_key_and_names_the_node() {
        for name in ["a", &"n".repeat(63)] {
            let key = Key::generate().unwrap();
            let der = request(&key, &NodeName::new(name).unwrap()).unwrap();
            let read = CertificateSigningRequestParams::from_der(&der.into()).unwrap();
            assert_eq!(read.public_key.subject_public_key_info(), key.public());
            let named = read.params.distinguished_name.get(&DnType::CommonName);
            assert_eq!(named, Some(&DnValue::Utf8String(name.to_owned())));
        }
    }
}
