//! The first words on a pipe.

use towline_wire::frame::{FrameError, LONGEST};
use towline_wire::handshake::{
    Accepted, HandshakeError, Hello, MAGIC, RESUMES, Refusal, ResumePosition, VERSIONS, Welcome,
    greet, receive,
};
use towline_wire::{SessionId, SessionKey};

use super::pipe::both_ways;
use crate::frames::{End, Stream, read};

const SESSION: &str = "0123456789ab";
/// The key, which stands in seeds: 64 digits.
const KEY: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An agent that a client says these things to: it is served only with the right words, and told why not.
pub(super) fn agent(stream: &Stream<'_>, size: usize) {
    let bytes = stream.bytes(&MAGIC);
    let (session, key) = own();
    let digest = key.digest();
    let (received, answer) = both_ways(&bytes, size, async |mut near| {
        receive(&mut near, &session, &digest, "1.2.3", "pod", position).await
    });
    let hello = bytes.strip_prefix(&MAGIC).map(|rest| read::<Hello>(rest, LONGEST as usize));
    match (hello, received) {
        (None, Err(HandshakeError::NotTowline)) => {
            assert!(bytes.len() >= MAGIC.len() && answer.is_empty());
        }
        (None, Err(HandshakeError::Frame(FrameError::Io(_)))) => {
            assert!(bytes.len() < MAGIC.len() && answer.is_empty());
        }
        (Some((hellos, end)), Err(HandshakeError::Frame(error))) => {
            assert!(hellos.is_empty() && answer.is_empty(), "{error}");
            let same = match (end, &error) {
                (End::Cut(_), FrameError::Io(_)) => true,
                (End::TooLong(length), FrameError::TooLong(told)) => *told as usize == length,
                (End::Malformed(text), FrameError::Json(told)) => told.to_string() == text,
                _ => false,
            };
            assert!(same, "{error}");
        }
        (Some((hellos, _)), received) => {
            let welcome = read::<Welcome>(&answer, LONGEST as usize);
            answered(hellos.first(), received, &welcome.0);
        }
        (None, other) => panic!("{other:?} without the first word"),
    }
}

/// An agent that knows every pipe, and has received nothing.
fn position(hello: &Hello) -> ResumePosition {
    ResumePosition { pipe: hello.resume.map_or(7, |position| position.pipe), received: 0 }
}

/// What is to be answered to a hello that was understood.
fn answered(
    hello: Option<&Hello>,
    received: Result<(Hello, Accepted), HandshakeError>,
    answer: &[Welcome],
) {
    let hello = hello.expect("an answer has a hello before it");
    let (session, key) = own();
    let refusal = match hello.versions.common(VERSIONS) {
        None => Some(Refusal::Version),
        Some(_) if hello.session != session => Some(Refusal::Session),
        Some(_) if hello.key != key => Some(Refusal::Key),
        Some(_) => None,
    };
    let (release, versions) = ("1.2.3".to_owned(), VERSIONS);
    let expected = match refusal {
        Some(reason) => {
            let told = matches!(received, Err(HandshakeError::Refused { reason: told, .. }) if told == reason);
            assert!(told, "{received:?}");
            Welcome::Refused { reason, release, versions }
        }
        None => {
            let (received, told) = received.expect("the right words");
            assert_eq!((&received.session, &received.key), (&session, &key));
            let version = hello.versions.common(VERSIONS).expect("it was not refused");
            let resume = (version >= RESUMES).then(|| position(hello));
            let accepted = Accepted { version, release, host: "pod".to_owned(), resume };
            assert_eq!(told, accepted);
            Welcome::Accepted(accepted)
        }
    };
    assert_eq!(answer, [expected]);
}

/// A client that something answers so: what it takes for an agent speaks a version that the client has offered.
pub(super) fn client(bytes: &[u8], size: usize) {
    let (session, key) = own();
    let hello = Hello { versions: VERSIONS, release: "1.2.3".into(), session, key, resume: None };
    let (greeted, said) = both_ways(bytes, size, async |mut near| greet(&mut near, &hello).await);
    let (welcomes, _) = read::<Welcome>(bytes, LONGEST as usize);
    match (welcomes.first(), greeted) {
        (Some(Welcome::Accepted(accepted)), Ok(greeted)) => {
            assert_eq!(*accepted, greeted);
            assert!((VERSIONS.oldest..=VERSIONS.newest).contains(&greeted.version));
        }
        (Some(Welcome::Accepted(accepted)), Err(HandshakeError::Refused { reason, .. })) => {
            assert_eq!(reason, Refusal::Version);
            assert!(!(VERSIONS.oldest..=VERSIONS.newest).contains(&accepted.version));
        }
        (
            Some(Welcome::Refused { reason, .. }),
            Err(HandshakeError::Refused { reason: told, .. }),
        ) => {
            assert_eq!(*reason, told);
        }
        (None, Err(HandshakeError::NotTowline | HandshakeError::Frame(FrameError::Io(_)))) => {}
        other => panic!("{other:?}"),
    }
    let (hellos, _) = read::<Hello>(&said[MAGIC.len()..], LONGEST as usize);
    let [told] = hellos.as_slice() else { panic!("{hellos:?}") };
    assert_eq!((&told.session, &told.key), (&hello.session, &hello.key));
}

fn own() -> (SessionId, SessionKey) {
    let session = SESSION.parse().expect("twelve digits");
    (session, KEY.to_owned().try_into().expect("64 digits"))
}
