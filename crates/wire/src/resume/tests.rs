use std::sync::Arc;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;

/// Two ends of a pipe, and what carries it.
struct Line {
    near: Handle,
    far: Handle,
    /// The middle of the carrier: it hands on bytes until it is cut.
    middle: JoinHandle<()>,
}

/// A carrier in two halves, of which the middle can be cut at any byte; what is under way then is lost.
fn carrier(cut_after: usize) -> (DuplexStream, DuplexStream, JoinHandle<()>) {
    let (near, mut left) = tokio::io::duplex(700);
    let (far, mut right) = tokio::io::duplex(500);
    let middle = tokio::spawn(async move {
        let mut budget = cut_after;
        let (mut there, mut back) = ([0; 97], [0; 101]);
        while budget > 0 {
            tokio::select! {
                read = left.read(&mut there) => {
                    let Ok(count @ 1..) = read else { break };
                    if right.write_all(&there[..count.min(budget)]).await.is_err() { break }
                    budget = budget.saturating_sub(count);
                }
                read = right.read(&mut back) => {
                    let Ok(count @ 1..) = read else { break };
                    if left.write_all(&back[..count.min(budget)]).await.is_err() { break }
                    budget = budget.saturating_sub(count);
                }
            }
        }
    });
    (near, far, middle)
}

impl Line {
    fn begin(cut_after: usize) -> (Pipe, Pipe, Self) {
        let (near, far, middle) = carrier(cut_after);
        let ((near_pipe, near), (far_pipe, far)) = (begin(7, near), begin(7, far));
        (near_pipe, far_pipe, Self { near, far, middle })
    }

    /// Another carrier, as client and agent agree on it.
    fn renew(&mut self, cut_after: usize) {
        self.middle.abort();
        let (near, far, middle) = carrier(cut_after);
        let (Some(has_near), Some(has_far)) = (self.near.detach(), self.far.detach()) else {
            return;
        };
        self.far.resume(far, has_near.received).unwrap();
        self.near.resume(near, has_far.received).unwrap();
        self.middle = middle;
    }
}

fn noise(seed: u8, length: usize) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Writes `bytes` in pieces, and reads on and on, as a multiplexer does; gives the first `expect` bytes that came.
async fn both_ways(pipe: Pipe, bytes: Vec<u8>, expect: usize) -> Vec<u8> {
    let (mut reader, mut writer) = tokio::io::split(pipe);
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut chunk = [0; 3000];
        while let Ok(count @ 1..) = reader.read(&mut chunk).await {
            let _ = tell.send(chunk[..count].to_vec());
        }
    });
    let writing = async {
        for piece in bytes.chunks(1 + bytes.len() / 13) {
            writer.write_all(piece).await.unwrap();
            writer.flush().await.unwrap();
        }
    };
    let reading = async {
        let mut read = Vec::new();
        while read.len() < expect {
            read.extend(told.recv().await.unwrap());
        }
        read
    };
    tokio::join!(writing, reading).1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Every byte arrives once and in its place, however often the carrier is cut, and wherever.
    #[test]
    fn cuts_cost_nothing(
        there in 0usize..60_000,
        back in 0usize..60_000,
        cuts in prop::collection::vec(0usize..25_000, 0..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut cuts = cuts.into_iter();
            let (near, far, mut line) = Line::begin(cuts.next().unwrap_or(usize::MAX));
            let (sent, answered) = (noise(1, there), noise(2, back));
            let here = both_ways(near, sent.clone(), back);
            let over_there = both_ways(far, answered.clone(), there);
            let whole = async { tokio::join!(here, over_there) };
            tokio::pin!(whole);
            let (got_here, got_there) = loop {
                let mut standing = line.near.standing();
                let mut far_standing = line.far.standing();
                tokio::select! {
                    done = &mut whole => break done,
                    _ = standing.wait_for(|standing| *standing == Standing::Lost) => {}
                    _ = far_standing.wait_for(|standing| *standing == Standing::Lost) => {}
                }
                line.renew(cuts.next().unwrap_or(usize::MAX));
            };
            assert!(got_here == answered, "what came back is another");
            assert!(got_there == sent, "what went there is another");
        });
    }
}

#[tokio::test]
async fn more_than_is_kept_goes_through() {
    let (near, far, mut line) = Line::begin(KEPT);
    let bytes = noise(3, 2 * KEPT + 12_345);
    let reading = tokio::spawn(both_ways(far, Vec::new(), bytes.len()));
    let writing = tokio::spawn(both_ways(near, bytes.clone(), 0));
    let mut standing = line.far.standing();
    standing.wait_for(|standing| *standing == Standing::Lost).await.unwrap();
    line.renew(usize::MAX);
    assert!(reading.await.unwrap() == bytes);
    writing.await.unwrap();
    assert!(line.near.lock().kept() <= KEPT);
}

/// The far side is told of nothing, as by a multiplexer that cannot read now: what is written goes on, and a loss is the end.
#[tokio::test]
async fn more_under_way_than_is_kept_is_lost_with_its_connection() {
    let (near, mut other) = tokio::io::duplex(1024 * 1024);
    let (mut pipe, handle) = begin(1, near);
    let drain = tokio::spawn(async move {
        let mut all = 0;
        let mut chunk = vec![0; 64 * 1024];
        while all < KEPT + LARGEST {
            all += other.read(&mut chunk).await.unwrap();
        }
        all
    });
    let bytes = noise(5, LARGEST);
    for _ in 0..=KEPT / LARGEST {
        pipe.write_all(&bytes).await.unwrap();
        pipe.flush().await.unwrap();
    }
    drain.await.unwrap();
    assert_eq!(handle.lock().kept(), KEPT);
    handle.detach().unwrap();
    let (carrier, _other) = tokio::io::duplex(64);
    let error = handle.resume(carrier, 0).unwrap_err();
    assert!(error.to_string().contains("more was under way"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_carrier_is_lost_and_the_pipe_is_given_up_after_its_patience() {
    let (mut near, _far, line) = Line::begin(usize::MAX);
    let start = Instant::now();
    let reading = tokio::spawn(async move { near.read(&mut [0; 8]).await.unwrap_err() });
    let mut standing = line.near.standing();
    standing.wait_for(|standing| *standing == Standing::Lost).await.unwrap();
    assert_eq!(start.elapsed(), SILENCE);
    assert!(reading.await.unwrap().to_string().contains("no connection for 20 s"));
    assert_eq!(start.elapsed(), SILENCE + PATIENCE);
    assert_eq!(line.near.detach(), None);
}

#[tokio::test(start_paused = true)]
async fn a_word_now_and_then_keeps_it() {
    let (mut near, mut far, line) = Line::begin(usize::MAX);
    for _ in 0..10 {
        tokio::time::sleep(SILENCE * 3 / 4).await;
        far.write_all(b"!").await.unwrap();
        far.flush().await.unwrap();
        near.read_exact(&mut [0]).await.unwrap();
    }
    assert_eq!(*line.near.standing().borrow(), Standing::Carried);
}

#[tokio::test(start_paused = true)]
async fn a_close_is_told_and_nobody_waits() {
    let (near, mut far, line) = Line::begin(usize::MAX);
    let start = Instant::now();
    drop(near);
    line.near.close().await;
    assert_eq!(far.read(&mut [0; 8]).await.unwrap(), 0, "the end");
    assert!(start.elapsed() < SILENCE && line.near.detach().is_none());
}

#[tokio::test]
async fn what_was_written_before_a_close_arrives() {
    let (mut near, mut far, _line) = Line::begin(usize::MAX);
    near.write_all(b"the last words").await.unwrap();
    near.shutdown().await.unwrap();
    let mut text = String::new();
    far.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "the last words");
}

#[tokio::test]
async fn a_position_that_cannot_be_is_refused() {
    let (mut near, _far, line) = Line::begin(usize::MAX);
    near.write_all(&[0; 10]).await.unwrap();
    line.near.detach().unwrap();
    let (carrier, _other) = tokio::io::duplex(64);
    assert!(line.near.resume(carrier, 11).is_err());
    assert!(near.write_all(&[0]).await.is_err(), "it is over");
}

#[tokio::test]
async fn an_attempt_of_earlier_is_no_end() {
    let (near, far, mut line) = Line::begin(usize::MAX);
    let length = TELL_AFTER as usize + 1;
    let reading = tokio::spawn(both_ways(far, Vec::new(), length));
    both_ways(near, vec![1; length], 0).await;
    reading.await.unwrap();
    while line.near.lock().kept() == length {
        tokio::task::yield_now().await;
    }
    let (carrier, _other) = tokio::io::duplex(64);
    assert!(line.near.resume(carrier, 0).is_err());
    assert_eq!(*line.near.standing().borrow(), Standing::Lost);
    line.renew(usize::MAX);
    assert_eq!(*line.near.standing().borrow(), Standing::Carried);
}

#[tokio::test]
async fn nonsense_ends_it() {
    for frame in [
        [9, 0, 0, 0, 0, 0, 0, 0, 1],
        [DATA, 1, 0, 0, 0, 0, 0, 0, 0],
        [RECEIVED, 0, 0, 0, 0, 0, 0, 0, 1],
    ] {
        let (carrier, mut other) = tokio::io::duplex(64);
        let (mut pipe, handle) = begin(1, carrier);
        other.write_all(&frame).await.unwrap();
        assert!(pipe.read(&mut [0; 8]).await.is_err(), "{frame:?}");
        assert_eq!(*handle.standing().borrow(), Standing::Over);
    }
}

#[tokio::test]
async fn what_was_not_sent_yet_cannot_have_been_received() {
    let (carrier, mut other) = tokio::io::duplex(64);
    let (mut pipe, handle) = begin(1, carrier);
    pipe.write_all(&[0; 1000]).await.unwrap();
    other.write_all(&[RECEIVED, 0, 0, 0, 0, 0, 0, 0, 5]).await.unwrap();
    assert!(pipe.read(&mut [0; 8]).await.is_err());
    assert_eq!(*handle.standing().borrow(), Standing::Over);
}

#[test]
fn a_pipe_can_be_sent_to_another_thread() {
    fn is_send<T: Send>(_: Option<T>) {}
    is_send::<Pipe>(None);
    is_send::<Arc<Handle>>(None);
}

/// As in a tunnel: many bytes on streams in both directions at once, and the connection lost in between.
#[tokio::test]
async fn streams_in_both_directions_go_on() {
    use crate::mux::{Side, multiplex};
    let (near, far, mut line) = Line::begin(7_000_000);
    let (near_open, mut near_accept, near_driver) = multiplex(near, Side::Client);
    let (far_open, mut far_accept, far_driver) = multiplex(far, Side::Agent);
    let drivers = [tokio::spawn(near_driver), tokio::spawn(far_driver)];
    let bytes = noise(9, 6_000_000);
    let mut moving = Vec::new();
    for open in [&near_open, &far_open] {
        let mut stream = open.open().await.unwrap();
        let bytes = bytes.clone();
        moving.push(tokio::spawn(async move {
            stream.write_all(&bytes).await.unwrap();
            stream.shutdown().await.unwrap();
        }));
    }
    for accept in [&mut near_accept, &mut far_accept] {
        let mut stream = accept.accept().await.unwrap();
        let bytes = bytes.clone();
        moving.push(tokio::spawn(async move {
            let mut read = Vec::new();
            stream.read_to_end(&mut read).await.unwrap();
            assert!(read == bytes);
        }));
    }
    let mut standing = line.near.standing();
    standing.wait_for(|standing| *standing == Standing::Lost).await.unwrap();
    line.renew(usize::MAX);
    for moved in moving {
        moved.await.unwrap();
    }
    line.near.close().await;
    for driver in drivers {
        let _ = driver.await.unwrap();
    }
}
