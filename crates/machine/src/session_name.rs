//! Names of sessions, as they stand in the hosts file.

use serde::{Deserialize, Serialize};

use crate::text::checked_text;

/// Names one session on this machine: 12 lower-case hexadecimal digits, the same that name it in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionName(String);

/// The text does not name a session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} does not name a session: twelve lower-case hexadecimal digits are expected")]
pub struct InvalidSessionName(pub String);

checked_text!(SessionName, InvalidSessionName);

impl SessionName {
    /// How many digits a name has.
    pub const LENGTH: usize = 12;

    fn read(text: &str) -> Option<String> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == Self::LENGTH && text.bytes().all(digit)).then(|| text.to_owned())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_session() {
        assert_eq!("0123456789ab".parse::<SessionName>().unwrap().as_str(), "0123456789ab");
        for bad in
            ["", "0123456789a", "0123456789abc", "0123456789AB", "0123456789a\n", "../../../etc"]
        {
            assert_eq!(bad.parse::<SessionName>(), Err(InvalidSessionName(bad.to_owned())));
        }
        assert!(serde_json::from_str::<SessionName>("\"0123456789AB\"").is_err());
    }
}
