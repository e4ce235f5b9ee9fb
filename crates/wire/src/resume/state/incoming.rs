//! What comes in.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use super::super::{CLOSE, Carrier, DATA, HEADER, LARGEST, RECEIVED};

#[derive(Default)]
pub(super) struct Incoming {
    /// The header that is being read.
    pub(super) header: [u8; HEADER],
    pub(super) have: usize,
    /// Bytes of the current frame's body that have not come yet.
    pub(super) body: u64,
    pub(super) received: u64,
    /// What the other side was told of that.
    pub(super) told: u64,
    pub(super) closed: bool,
}

pub(super) enum Came {
    /// Some, into the buffer.
    Bytes,
    /// The other side has so many.
    Received(u64),
    /// A part of a header.
    Part,
    Closed,
}

pub(super) enum Broken {
    Lost,
    Nonsense,
}

impl Incoming {
    pub(super) fn poll_read(
        &mut self,
        carrier: &mut Box<dyn Carrier>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<Result<Came, Broken>> {
        if self.body > 0 {
            let most = into.remaining().min(usize::try_from(self.body).unwrap_or(usize::MAX));
            let mut part = ReadBuf::new(into.initialize_unfilled_to(most));
            let read = ready!(Pin::new(carrier).poll_read(cx, &mut part));
            let count = part.filled().len();
            if read.is_err() || (count == 0 && most > 0) {
                return Poll::Ready(Err(Broken::Lost));
            }
            into.advance(count);
            self.body -= count as u64;
            self.received += count as u64;
            return Poll::Ready(Ok(Came::Bytes));
        }
        let mut header = ReadBuf::new(&mut self.header[self.have..]);
        let read = ready!(Pin::new(carrier).poll_read(cx, &mut header));
        let count = header.filled().len();
        if read.is_err() || count == 0 {
            return Poll::Ready(Err(Broken::Lost));
        }
        self.have += count;
        if self.have < HEADER {
            return Poll::Ready(Ok(Came::Part));
        }
        self.have = 0;
        let [kind, number @ ..] = self.header;
        let number = u64::from_be_bytes(number);
        Poll::Ready(match kind {
            DATA if (1..=LARGEST as u64).contains(&number) => {
                self.body = number;
                Ok(Came::Part)
            }
            RECEIVED => Ok(Came::Received(number)),
            CLOSE => {
                self.closed = true;
                Ok(Came::Closed)
            }
            _ => Err(Broken::Nonsense),
        })
    }
}
