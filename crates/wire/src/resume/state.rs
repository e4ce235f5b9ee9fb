//! What the two ends of [`super::Pipe`] and [`super::Handle`] share.

mod incoming;
mod outgoing;

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};

use self::incoming::{Broken, Came, Incoming};
use self::outgoing::{Outgoing, Rest};
use super::{Carrier, PATIENCE, SILENCE, Standing, TELL_AFTER};

pub(super) struct State {
    carrier: Option<Box<dyn Carrier>>,
    stand: watch::Sender<Standing>,
    /// Why it is over.
    over: Option<String>,
    /// When the carrier, or without one the pipe, is given up.
    deadline: Instant,
    timer: Pin<Box<Sleep>>,
    out: Outgoing,
    incoming: Incoming,
    /// Both are those of the task that drives the multiplexer, as a rule; a new carrier wakes it.
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl State {
    pub(super) fn new(carrier: Box<dyn Carrier>, stand: watch::Sender<Standing>) -> Self {
        let deadline = Instant::now() + SILENCE;
        Self {
            carrier: Some(carrier),
            stand,
            over: None,
            deadline,
            timer: Box::pin(sleep_until(deadline)),
            out: Outgoing::default(),
            incoming: Incoming::default(),
            reader: None,
            writer: None,
        }
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if let Some(over) = self.failure() {
                return Poll::Ready(Err(over));
            }
            if self.incoming.closed {
                return Poll::Ready(Ok(()));
            }
            let Some(carrier) = self.carrier.as_mut() else {
                self.reader = Some(cx.waker().clone());
                ready!(self.poll_deadline(cx));
                self.end_of_patience();
                continue;
            };
            let read = self.incoming.poll_read(carrier, cx, into);
            match read {
                Poll::Ready(Ok(Came::Bytes)) => {
                    self.deadline = Instant::now() + SILENCE;
                    if self.incoming.received - self.incoming.told >= TELL_AFTER {
                        // What is not taken at once goes with the next write or read.
                        let _ = self.poll_through(cx);
                    }
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Ok(Came::Received(number))) => {
                    self.deadline = Instant::now() + SILENCE;
                    if !self.out.forget(number) {
                        self.end("the other side has received what was not sent");
                    } else {
                        self.wake_writer();
                    }
                }
                Poll::Ready(Ok(Came::Part | Came::Closed)) => {}
                Poll::Ready(Err(Broken::Lost)) => self.lose(),
                Poll::Ready(Err(Broken::Nonsense)) => {
                    self.end("the other side does not keep to the protocol");
                }
                Poll::Pending => {
                    // What a new carrier has to bring, and what did not fit.
                    if self.out.is_behind() {
                        let _ = self.poll_through(cx);
                    }
                    if self.carrier.is_some() {
                        self.reader = Some(cx.waker().clone());
                        ready!(self.poll_deadline(cx));
                        self.lose();
                    }
                }
            }
        }
    }

    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(over) = self.failure() {
            return Poll::Ready(Err(over));
        }
        if self.out.room() < bytes.len() {
            // As much as the carrier takes; it wakes this task when it takes more.
            let _ = self.poll_send(cx);
        }
        let taken = bytes.len().min(self.out.room());
        if taken == 0 && !bytes.is_empty() {
            return self.poll_stuck(cx).map(Err);
        }
        self.out.kept.extend(&bytes[..taken]);
        Poll::Ready(Ok(taken))
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(over) = self.failure() {
            return Poll::Ready(Err(over));
        }
        // Without a carrier it is kept, and goes with the next one.
        match self.poll_through(cx) {
            Poll::Ready(()) => Poll::Ready(Ok(())),
            Poll::Pending => self.poll_stuck(cx).map(Err),
        }
    }

    /// Nothing can be written now. Whoever waits for that may not read meanwhile, so the time is looked at here, too.
    fn poll_stuck(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        self.writer = Some(cx.waker().clone());
        while self.poll_deadline(cx).is_ready() {
            if self.carrier.is_some() {
                self.lose();
            } else {
                self.end_of_patience();
            }
            if let Some(over) = self.failure() {
                return Poll::Ready(over);
            }
        }
        Poll::Pending
    }

    fn end_of_patience(&mut self) {
        self.end(&format!("no connection for {} s", PATIENCE.as_secs()));
    }

    /// Gets everything through to the carrier's other end. Ready: it is, or there is no carrier.
    fn poll_through(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        ready!(self.poll_send(cx));
        if let (Some(carrier), true) = (self.carrier.as_mut(), self.out.unflushed) {
            match ready!(Pin::new(carrier).poll_flush(cx)) {
                Ok(()) => self.out.unflushed = false,
                Err(_) => self.lose(),
            }
            // Whoever writes may have been kept waiting by the reader's own attempt.
            self.wake_writer();
        }
        Poll::Ready(())
    }

    /// Tells the other side that this is the end; without a carrier nobody is told.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.over.is_some() {
            return Poll::Ready(());
        }
        self.out.closing = true;
        let _ = ready!(self.poll_flush(cx));
        if let Some(carrier) = self.carrier.as_mut() {
            let _ = ready!(Pin::new(carrier).poll_shutdown(cx));
        }
        self.end("it was closed here");
        Poll::Ready(())
    }

    /// Gives the carrier all that it has not got. Ready: it has, or there is none.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(carrier) = self.carrier.as_mut() else { return Poll::Ready(()) };
            let (out, incoming) = (&mut self.out, &mut self.incoming);
            let pending =
                if out.header.left().is_empty() { out.chunk() } else { out.header.left() };
            if pending.is_empty() {
                match out.next_frame(incoming) {
                    Some(header) => out.header = header,
                    None => return Poll::Ready(()),
                }
                continue;
            }
            match ready!(Pin::new(carrier).poll_write(cx, pending)) {
                Ok(0) | Err(_) => self.lose(),
                Ok(written) => {
                    out.wrote(written);
                    self.wake_writer();
                }
            }
        }
    }

    pub(super) fn detach(&mut self) -> Option<u64> {
        self.lose();
        self.over.is_none().then_some(self.incoming.received)
    }

    pub(super) fn resume(&mut self, carrier: Box<dyn Carrier>, received: u64) -> io::Result<()> {
        if let Some(over) = self.failure() {
            return Err(over);
        }
        self.lose();
        if received < self.out.told {
            // The other side has said since that it has more: this is an attempt that it has given up, and another is on its way.
            return Err(io::Error::new(io::ErrorKind::InvalidData, "an attempt of earlier"));
        }
        if received < self.out.begin {
            self.end("more was under way than is kept");
            return self.failure().map_or(Ok(()), Err);
        }
        if !self.out.forget(received) {
            self.end("the other side has received what was not sent");
            return self.failure().map_or(Ok(()), Err);
        }
        self.out.next = self.out.begin;
        self.incoming.told = self.incoming.received;
        self.carrier = Some(carrier);
        self.deadline = Instant::now() + SILENCE;
        self.stand.send_replace(Standing::Carried);
        self.wake();
        Ok(())
    }

    /// Does without the carrier, for a while.
    fn lose(&mut self) {
        if self.carrier.take().is_none() || self.over.is_some() {
            return;
        }
        self.out.header = Rest::default();
        self.out.body = 0;
        self.out.unflushed = false;
        (self.incoming.have, self.incoming.body) = (0, 0);
        self.deadline = Instant::now() + PATIENCE;
        self.stand.send_replace(Standing::Lost);
        self.wake();
    }

    /// Ends it for good.
    pub(super) fn end(&mut self, why: &str) {
        if self.over.is_none() {
            self.over = Some(why.to_owned());
            self.carrier = None;
            self.out.kept = VecDeque::new();
            self.stand.send_replace(Standing::Over);
            self.wake();
        }
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.out.kept.len()
    }

    fn failure(&self) -> Option<io::Error> {
        let why = self.over.as_ref()?;
        Some(io::Error::new(io::ErrorKind::BrokenPipe, why.clone()))
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // It is moved with every byte; the timer only when it rings.
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if Instant::now() >= self.deadline {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(self.deadline);
        }
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        self.wake_writer();
    }

    fn wake_writer(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }
}
