//! The first words on a pipe. The client says which versions it speaks and shows the session's key; the agent accepts one, or refuses with a reason.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::frame::{self, FrameError};
use crate::key::{KeyDigest, SessionId, SessionKey};

/// What the client sends first, so that another protocol on the same port is noticed at once.
pub const MAGIC: [u8; 8] = *b"TOWLINE\n";

/// The versions of this protocol that this build speaks. From [`RESUMES`] on the pipe is a [`crate::resume`] one.
pub const VERSIONS: Versions = Versions { oldest: 1, newest: RESUMES };

/// The first version whose pipe outlives its connection.
pub const RESUMES: u16 = 2;

/// Both sides give up on a handshake after this time.
pub const LIMIT: Duration = Duration::from_secs(10);

/// A range of protocol versions, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// The oldest.
    pub oldest: u16,
    /// The newest.
    pub newest: u16,
}

impl Versions {
    /// The newest version that both know.
    pub fn common(self, other: Self) -> Option<u16> {
        let newest = self.newest.min(other.newest);
        (newest >= self.oldest.max(other.oldest)).then_some(newest)
    }
}

/// The client's greeting.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The versions that the client speaks.
    pub versions: Versions,
    /// The client's release, for messages.
    pub release: String,
    /// The session whose agent the client expects.
    pub session: SessionId,
    /// The session's key.
    pub key: SessionKey,
    /// Where to go on after a short loss; without it a new pipe begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<ResumePosition>,
}

/// How much of a pipe has been received, in bytes, so that the rest can be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumePosition {
    /// Which pipe.
    pub pipe: u64,
    /// The bytes received on it.
    pub received: u64,
}

/// The agent's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Welcome {
    /// The pipe is the client's; yamux begins.
    Accepted(Accepted),
    /// The agent closes the pipe.
    Refused {
        /// Why; the client decides by this.
        reason: Refusal,
        /// The agent's release, for messages.
        release: String,
        /// The versions that the agent speaks.
        versions: Versions,
    },
}

/// What an agent says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The version chosen.
    pub version: u16,
    /// The agent's release.
    pub release: String,
    /// The pod's host name.
    pub host: String,
    /// The pipe that goes on, and how much the agent has received on it. Another one than was asked for is new: the agent has none of that number any
    /// more. From version [`RESUMES`] on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<ResumePosition>,
}

/// Why an agent refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// No version in common.
    Version,
    /// The agent belongs to another session: somebody took the workload over.
    Session,
    /// The key is not this session's.
    Key,
}

/// A handshake did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The other side speaks something else.
    #[error("what answers there is not a Towline agent")]
    NotTowline,
    /// The agent said no.
    #[error("the agent (release {release}) refused the session: {}", describe(*reason, *versions))]
    Refused {
        /// Why.
        reason: Refusal,
        /// The agent's release.
        release: String,
        /// What the agent speaks.
        versions: Versions,
    },
    /// The pipe failed.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Nothing came within [`LIMIT`].
    #[error("no answer to the handshake within {} s", LIMIT.as_secs())]
    TimedOut,
}

fn describe(reason: Refusal, versions: Versions) -> String {
    match reason {
        Refusal::Version => format!(
            "it speaks protocol {} to {}, this program {} to {}",
            versions.oldest, versions.newest, VERSIONS.oldest, VERSIONS.newest
        ),
        Refusal::Session => "it belongs to another session".to_owned(),
        Refusal::Key => "the session's key was not accepted".to_owned(),
    }
}

/// The client's side.
///
/// # Errors
/// As [`HandshakeError`] says.
pub async fn greet(
    io: &mut (impl AsyncRead + AsyncWrite + Unpin),
    hello: &Hello,
) -> Result<Accepted, HandshakeError> {
    let talk = async {
        io.write_all(&MAGIC).await.map_err(FrameError::Io)?;
        frame::write(io, hello).await?;
        match frame::read(io).await {
            Ok(Welcome::Accepted(accepted)) => spoken(accepted),
            Ok(Welcome::Refused { reason, release, versions }) => {
                Err(HandshakeError::Refused { reason, release, versions })
            }
            Err(FrameError::TooLong(_) | FrameError::Json(_)) => Err(HandshakeError::NotTowline),
            Err(error) => Err(error.into()),
        }
    };
    tokio::time::timeout(LIMIT, talk).await.unwrap_or(Err(HandshakeError::TimedOut))
}

/// What was accepted, if it is a version that this build speaks: another can only come from something that takes no heed of what it was offered.
fn spoken(accepted: Accepted) -> Result<Accepted, HandshakeError> {
    let Accepted { version, release, .. } = &accepted;
    let versions = Versions { oldest: *version, newest: *version };
    if versions.common(VERSIONS).is_none() {
        let release = release.clone();
        return Err(HandshakeError::Refused { reason: Refusal::Version, release, versions });
    }
    Ok(accepted)
}

/// The agent's side: serves only the client of `session` that shows the key of `digest`. `position` says where the pipe of an admitted client goes on, or
/// that one begins; it is asked from version [`RESUMES`] on.
///
/// # Errors
/// As [`HandshakeError`] says; a refusal has been told to the client.
pub async fn receive(
    io: &mut (impl AsyncRead + AsyncWrite + Unpin),
    session: &SessionId,
    digest: &KeyDigest,
    release: &str,
    host: &str,
    position: impl FnOnce(&Hello) -> ResumePosition + Send,
) -> Result<(Hello, Accepted), HandshakeError> {
    let talk = async {
        let mut magic = [0; MAGIC.len()];
        io.read_exact(&mut magic).await.map_err(FrameError::Io)?;
        if magic != MAGIC {
            return Err(HandshakeError::NotTowline);
        }
        let hello: Hello = frame::read(io).await?;
        let refusal = match hello.versions.common(VERSIONS) {
            None => Refusal::Version,
            Some(_) if hello.session != *session => Refusal::Session,
            Some(_) if !digest.admits(&hello.key) => Refusal::Key,
            Some(version) => {
                let (release, host) = (release.to_owned(), host.to_owned());
                let resume = (version >= RESUMES).then(|| position(&hello));
                let accepted = Accepted { version, release, host, resume };
                frame::write(io, &Welcome::Accepted(accepted.clone())).await?;
                return Ok((hello, accepted));
            }
        };
        let release = release.to_owned();
        let welcome =
            Welcome::Refused { reason: refusal, release: release.clone(), versions: VERSIONS };
        frame::write(io, &welcome).await?;
        // The client reads the reason before the pipe goes.
        io.shutdown().await.map_err(FrameError::Io)?;
        Err(HandshakeError::Refused { reason: refusal, release, versions: VERSIONS })
    };
    tokio::time::timeout(LIMIT, talk).await.unwrap_or(Err(HandshakeError::TimedOut))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn hello(session: &SessionId, key: &SessionKey) -> Hello {
        let (session, key) = (session.clone(), key.clone());
        Hello { versions: VERSIONS, release: "test".into(), session, key, resume: None }
    }

    async fn meet(
        hello: Hello,
        session: &SessionId,
        digest: &KeyDigest,
    ) -> Result<Accepted, HandshakeError> {
        let (mut client, mut agent) = tokio::io::duplex(256);
        let (greeted, _) = tokio::join!(
            greet(&mut client, &hello),
            receive(&mut agent, session, digest, "1.2.3", "pod", |hello| {
                hello.resume.unwrap_or(ResumePosition { pipe: 7, received: 0 })
            })
        );
        greeted
    }

    #[tokio::test]
    async fn the_right_key_is_accepted() {
        let (session, key) = (SessionId::generate(), SessionKey::generate());
        let accepted = meet(hello(&session, &key), &session, &key.digest()).await.unwrap();
        assert_eq!(
            (accepted.version, accepted.release.as_str(), accepted.host.as_str()),
            (RESUMES, "1.2.3", "pod")
        );
        assert_eq!(accepted.resume, Some(ResumePosition { pipe: 7, received: 0 }));
    }

    #[tokio::test]
    async fn an_earlier_release_is_given_no_position() {
        let (session, key) = (SessionId::generate(), SessionKey::generate());
        let old = Versions { oldest: 1, newest: 1 };
        let old = Hello { versions: old, ..hello(&session, &key) };
        let accepted = meet(old, &session, &key.digest()).await.unwrap();
        assert_eq!((accepted.version, accepted.resume), (1, None));
    }

    #[tokio::test]
    async fn each_refusal_reaches_the_client() {
        let (session, key) = (SessionId::generate(), SessionKey::generate());
        let (other, wrong) = (SessionId::generate(), SessionKey::generate());
        let mut old = hello(&session, &key);
        old.versions = Versions { oldest: 90, newest: 91 };
        for (hello, expected) in [
            (hello(&session, &wrong), Refusal::Key),
            (hello(&other, &key), Refusal::Session),
            (old, Refusal::Version),
        ] {
            let error = meet(hello, &session, &key.digest()).await.unwrap_err();
            assert!(
                matches!(error, HandshakeError::Refused { reason, .. } if reason == expected),
                "{error}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends() {
        let (mut client, _agent) = tokio::io::duplex(256);
        let hello = hello(&SessionId::generate(), &SessionKey::generate());
        assert!(matches!(greet(&mut client, &hello).await, Err(HandshakeError::TimedOut)));
    }

    #[tokio::test]
    async fn another_protocol_is_told_apart() {
        let (mut client, mut agent) = tokio::io::duplex(256);
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let digest = SessionKey::generate().digest();
        let received = receive(&mut agent, &SessionId::generate(), &digest, "1", "pod", |_| {
            ResumePosition { pipe: 7, received: 0 }
        })
        .await;
        assert!(matches!(received, Err(HandshakeError::NotTowline)));
    }
}
