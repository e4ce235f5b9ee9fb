//! Names that may stand in a hosts file.

use serde::{Deserialize, Serialize};

use crate::text::checked_text;

/// A host name as RFC 1123 §2.1 has it, in lower case: labels of 1 to 63 letters, digits and `-`, not at their ends; at most 253 bytes; the last label
/// not only digits, so that no address is taken for a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostName(String);

/// The text is not a host name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a host name: labels of letters, digits and '-' are expected, at most 63 bytes each and 253 together, with a letter or digit at both ends"
)]
pub struct InvalidHostName(pub String);

checked_text!(HostName, InvalidHostName);

impl HostName {
    fn read(text: &str) -> Option<String> {
        let name = text.to_ascii_lowercase();
        let alphanumeric = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let label = |label: &str| {
            let bytes = label.as_bytes();
            bytes.len() <= 63
                && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
                && alphanumeric(bytes.first())
                && alphanumeric(bytes.last())
        };
        let last = name.rsplit('.').next().unwrap_or_default();
        let valid = name.len() <= 253
            && name.split('.').all(label)
            && !last.bytes().all(|byte| byte.is_ascii_digit());
        valid.then_some(name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_host_name() {
        let longest_label = "a".repeat(63);
        for good in
            ["a", "Orders", "orders.shop.svc.cluster.local", "3com.example", "a-b", &longest_label]
        {
            assert_eq!(good.parse::<HostName>().unwrap().as_str(), good.to_ascii_lowercase());
        }
        let (label, name) = ("a".repeat(64), vec!["abc"; 64].join("."));
        let bad = [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "-a",
            "a-",
            "a_b",
            "a b",
            "a\n127.0.0.1 b",
            "a#b",
            "ä",
            "127.0.0.1",
            "10",
            &label,
            &name,
        ];
        for bad in bad {
            assert_eq!(bad.parse::<HostName>(), Err(InvalidHostName(bad.to_owned())));
        }
        assert!(serde_json::from_str::<HostName>("\"a b\"").is_err());
    }
}
