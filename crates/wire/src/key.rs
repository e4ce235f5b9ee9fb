//! Who may speak to an agent: the session's id and its key.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Names one session; 12 lower-case hexadecimal digits, so it is a valid Kubernetes label value and name suffix.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionId(String);

/// The text is not a session's id.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not a session id: twelve lower-case hexadecimal digits are expected")]
pub struct InvalidSessionId(String);

impl SessionId {
    /// A new random id.
    pub fn generate() -> Self {
        Self(hex::encode(rand::random::<[u8; 6]>()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for SessionId {
    type Error = InvalidSessionId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 12 || !text.bytes().all(digits) {
            return Err(InvalidSessionId(text));
        }
        Ok(Self(text))
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.0
    }
}

/// The secret that lets a client speak to the agents of its session. 256 random bits; only the client has it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionKey([u8; 32]);

/// What the agent is given in place of the key: its SHA-256. Safe to show: it stands in the pod's arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyDigest([u8; 32]);

/// The text is not 64 hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("not a session key or its digest: 64 hexadecimal digits are expected")]
pub struct InvalidKey;

impl SessionKey {
    /// A new random key.
    pub fn generate() -> Self {
        Self(rand::random())
    }

    /// The key's SHA-256.
    pub fn digest(&self) -> KeyDigest {
        KeyDigest(Sha256::digest(self.0).into())
    }
}

impl KeyDigest {
    /// Whether `key` is the key of this digest; takes the same time whatever the answer.
    pub fn admits(&self, key: &SessionKey) -> bool {
        key.digest().0.ct_eq(&self.0).into()
    }
}

// A key must not end up in a log by way of `{:?}`.
impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

impl fmt::Display for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for KeyDigest {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map(Self)
    }
}

impl TryFrom<String> for KeyDigest {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<KeyDigest> for String {
    fn from(digest: KeyDigest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for SessionKey {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        parse(&text).map(Self)
    }
}

impl From<SessionKey> for String {
    fn from(key: SessionKey) -> Self {
        hex::encode(key.0)
    }
}

fn parse(text: &str) -> Result<[u8; 32], InvalidKey> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidKey)?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_twelve_hexadecimal_digits() {
        let id = SessionId::generate();
        assert_eq!(id.as_str().parse::<SessionId>().unwrap(), id);
        for bad in ["", "0123456789a", "0123456789AB", "0123456789abc", "../etc/passw"] {
            assert!(bad.parse::<SessionId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_digest_admits_its_own_key_only() {
        let key = SessionKey::generate();
        assert!(key.digest().admits(&key));
        assert!(!key.digest().admits(&SessionKey::generate()));
        let text = key.digest().to_string();
        assert_eq!(text.parse::<KeyDigest>().unwrap(), key.digest());
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", SessionKey::generate()), "SessionKey(…)");
    }
}
