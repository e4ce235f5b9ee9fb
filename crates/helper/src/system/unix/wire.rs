//! Bytes, and a file descriptor beside them.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use tokio::io::Interest;
use tokio::net::UnixStream;

use super::Socket;

/// How much is read at once.
const READ: usize = 16 << 10;

/// Some bytes; none at the end. Nothing is lost if this is dropped while it waits.
pub(crate) async fn read(stream: &UnixStream) -> io::Result<(Vec<u8>, Option<Socket>)> {
    stream.async_io(Interest::READABLE, || receive(stream)).await
}

/// Sends some of the bytes, and the socket with the first; tells how many.
pub(crate) async fn write(
    stream: &UnixStream,
    bytes: &[u8],
    socket: Option<&Socket>,
) -> io::Result<usize> {
    let file = socket.map(AsFd::as_fd);
    stream.async_io(Interest::WRITABLE, || send(stream, bytes, file)).await
}

fn receive(stream: &UnixStream) -> io::Result<(Vec<u8>, Option<OwnedFd>)> {
    let mut bytes = vec![0; READ];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    #[cfg(target_os = "linux")]
    let flags = RecvFlags::CMSG_CLOEXEC;
    #[cfg(not(target_os = "linux"))]
    let flags = RecvFlags::empty();
    let message = recvmsg(stream.as_fd(), &mut [IoSliceMut::new(&mut bytes)], &mut beside, flags)?;
    bytes.truncate(message.bytes);
    let file = beside.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut files) => files.next(),
        _ => None,
    });
    #[cfg(not(target_os = "linux"))]
    if let Some(file) = &file {
        rustix::io::fcntl_setfd(file, rustix::io::FdFlags::CLOEXEC)?;
    }
    Ok((bytes, file))
}

fn send(stream: &UnixStream, bytes: &[u8], file: Option<BorrowedFd<'_>>) -> io::Result<usize> {
    let files = file.map(|file| [file]);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    if let Some(files) = &files {
        // There is room for one.
        beside.push(SendAncillaryMessage::ScmRights(files));
    }
    // A connection whose other end is closed is told by EPIPE. (Rust's programs ignore SIGPIPE.)
    Ok(sendmsg(stream.as_fd(), &[IoSlice::new(bytes)], &mut beside, SendFlags::empty())?)
}
