//! Frames, whole, in pieces, and broken at random.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::frame::{FrameError, LIMIT};
use crate::protocol::{Call, Request};
use towline_machine::holder::{Claim, StopSignal, Unit, UnitScope};

fn request() -> impl Strategy<Value = Request> {
    let session = "[0-9a-f]{12}".prop_map(|name| name.parse::<SessionName>().unwrap());
    let port = || (1_u16..).prop_map(|port| port.try_into().unwrap());
    let address = || select(vec!["127.0.0.1", "127.77.3.4", "::1"]);
    let entry = (address(), vec("[a-z]{1,9}", 0..4)).prop_map(|(address, names)| {
        entry(address, &names.iter().map(String::as_str).collect::<Vec<_>>())
    });
    let claim = (any::<std::net::IpAddr>(), any::<u16>(), any::<u32>(), any::<u64>())
        .prop_map(|(address, port, pid, started)| Claim { address, port, pid, started });
    let unit = any::<String>().prop_map(|name| Unit { name, scope: UnitScope::System });
    prop_oneof![
        (session, vec(entry, 0..5))
            .prop_map(|(session, entries)| Request::Hosts { session, entries }),
        (address(), port())
            .prop_map(|(a, port)| Request::Listen { address: a.parse().unwrap(), port }),
        (address(), port())
            .prop_map(|(a, port)| Request::Holders { address: a.parse().unwrap(), port }),
        claim.clone().prop_map(|claim| Request::Signal { claim, signal: StopSignal::Term }),
        (claim, unit).prop_map(|(claim, unit)| Request::StopUnit { claim, unit }),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    (any::<u32>(), request()).prop_map(|(id, request)| Call { id, request })
}

/// What is done to bytes that were right.
#[derive(Clone, Debug)]
enum Mutation {
    Replace(Index, u8),
    Insert(Index, Vec<u8>),
    Cut(Index),
    Repeat(Index, Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let piece = prop_oneof![
        vec(any::<u8>(), 1..6),
        select(vec!["{", "}", "\"", "\\n", "null", "-1", "99999999999999999999", "[[[[", "\0"])
            .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Replace(at, byte)),
        (any::<Index>(), piece).prop_map(|(at, piece)| Mutation::Insert(at, piece)),
        any::<Index>().prop_map(Mutation::Cut),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Mutation::Repeat(from, to)),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: Mutation) {
    let length = bytes.len();
    match mutation {
        _ if length == 0 => {}
        Mutation::Replace(at, byte) => bytes[at.index(length)] = byte,
        Mutation::Insert(at, piece) => {
            let at = at.index(length);
            bytes.splice(at..at, piece);
        }
        Mutation::Cut(at) => bytes.truncate(at.index(length)),
        Mutation::Repeat(from, to) => {
            let (from, to) = (from.index(length), to.index(length));
            let piece = bytes[from.min(to)..from.max(to)].to_vec();
            bytes.extend(piece);
        }
    }
}

/// All calls that the decoder makes of the bytes, until it does not understand.
fn decode(decoder: &mut Decoder, pieces: &[&[u8]]) -> (Vec<Call>, Option<FrameError>) {
    let mut calls = Vec::new();
    for piece in pieces {
        decoder.feed(piece);
        loop {
            match decoder.take() {
                Ok(Some(call)) => calls.push(call),
                Ok(None) => break,
                Err(error) => return (calls, Some(error)),
            }
        }
    }
    (calls, None)
}

proptest! {
    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut(
        calls in vec(call(), 0..5), size in 1_usize..300
    ) {
        let bytes: Vec<u8> = calls.iter().flat_map(|call| frame::encode(call).unwrap()).collect();
        let mut decoder = Decoder::default();
        let (decoded, error) = decode(&mut decoder, &bytes.chunks(size).collect::<Vec<_>>());
        prop_assert!(error.is_none());
        prop_assert_eq!(decoded, calls);
        prop_assert!(!decoder.is_partial());
    }

    /// Whatever comes, what is made of it is a request that can be said again in the same words, or it is refused; and how it is cut makes no difference.
    #[test]
    fn broken_frames_are_refused_or_mean_what_they_say(
        calls in vec(call(), 1..4), mutations in vec(mutation(), 0..6), size in 1_usize..300
    ) {
        let mut bytes: Vec<u8> = calls.iter().flat_map(|call| frame::encode(call).unwrap()).collect();
        for mutation in mutations {
            mutate(&mut bytes, mutation);
        }
        let (whole, error) = decode(&mut Decoder::default(), &[&bytes]);
        for call in &whole {
            let mut again = Decoder::default();
            again.feed(&frame::encode(call).unwrap());
            prop_assert_eq!(again.take::<Call>().unwrap(), Some(call.clone()));
        }
        let (pieces, other) =
            decode(&mut Decoder::default(), &bytes.chunks(size).collect::<Vec<_>>());
        prop_assert_eq!(pieces, whole);
        prop_assert_eq!(error.map(|error| error.to_string()), other.map(|error| error.to_string()));
    }
}

#[test]
fn a_frame_has_its_limit() {
    let longest = "a".repeat(LIMIT - 2);
    let mut decoder = Decoder::default();
    decoder.feed(&frame::encode(&longest).unwrap());
    assert_eq!(decoder.take::<String>().unwrap(), Some(longest));
    let too_long = frame::encode(&"a".repeat(LIMIT - 1));
    assert!(matches!(too_long, Err(FrameError::TooLong { length }) if length == LIMIT + 1));
    // Told by its length, before anything of it is kept.
    decoder.feed(&(u32::try_from(LIMIT).unwrap() + 1).to_be_bytes());
    assert!(matches!(decoder.take::<String>(), Err(FrameError::TooLong { .. })));
}

/// The helper itself, on bytes that are broken at random: it lives, and another's session does not change.
#[tokio::test]
async fn a_helper_outlives_whatever_is_sent() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let stage = Stage::start(BEFORE).await;
    let helper = stage.client().await;
    let one = helper.session(session("00000000000a"));
    one.set_hosts(vec![entry("127.77.0.1", &["x"])]).await.unwrap();
    let with = stage.file();
    let harmless = vec(call(), 1..4).prop_map(|mut calls| {
        // Real ports of this machine are not asked for.
        for call in &mut calls {
            if matches!(call.request, Request::Listen { .. }) {
                call.request =
                    Request::Hosts { session: session("00000000000a"), entries: Vec::new() };
            }
        }
        calls
    });
    let cases = (harmless, vec(mutation(), 1..6));
    let mut runner = TestRunner::default();
    for _ in 0..100 {
        let case = cases.new_tree(&mut runner).unwrap();
        let (calls, mutations) = case.current();
        let mut bytes: Vec<u8> =
            calls.iter().flat_map(|call| frame::encode(call).unwrap()).collect();
        for mutation in mutations {
            mutate(&mut bytes, mutation);
        }
        let mut raw = stage.raw().await;
        raw.greet().await;
        // It may close before it has read all.
        let _ = raw.stream.write_all(&bytes).await;
        let _ = raw.stream.shutdown().await;
        while raw.next::<Reply>().await.is_some() {}
    }
    one.set_hosts(vec![entry("127.77.0.1", &["x"])]).await.unwrap();
    assert_eq!(stage.file(), with);
    one.clear().await.unwrap();
    stage.until_restored(BEFORE).await;
}
