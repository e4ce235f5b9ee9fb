//! Names of sessions, as they stand in the hosts file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Names one session on this machine: 12 lower-case hexadecimal digits, the same that name it in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionName(String);

/// The text does not name a session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} does not name a session: twelve lower-case hexadecimal digits are expected")]
pub struct InvalidSessionName(pub String);

impl SessionName {
    /// How many digits a name has.
    pub const LENGTH: usize = 12;

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SessionName {
    type Err = InvalidSessionName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == Self::LENGTH && text.bytes().all(digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSessionName(text.to_owned()))
        }
    }
}

impl TryFrom<String> for SessionName {
    type Error = InvalidSessionName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SessionName> for String {
    fn from(name: SessionName) -> Self {
        name.0
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
