//! The named pipe.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::OwnedHandle;
use std::time::Duration;

use interprocess::os::windows::named_pipe::pipe_mode::Bytes;
use interprocess::os::windows::named_pipe::tokio::{DuplexPipeStream, PipeListener};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep};

use super::sid::Sid;
use super::{Place, Socket};
use crate::client::HelperError;

/// How much is read at once.
const READ: usize = 16 << 10;

/// What a client may do: `FILE_GENERIC_READ`, and `FILE_GENERIC_WRITE` without `FILE_APPEND_DATA`, which for a pipe means to make another of its name.
pub(super) const ACCESS: u32 = 0x0012_019b;

/// `CreateFileW`: reads and writes need not wait.
const FILE_FLAG_OVERLAPPED: u32 = 0x4000_0000;
/// `CreateFileW`: the helper may see who the client is, and not act in its name.
const SECURITY_IDENTIFICATION: u32 = 0x0001_0000;

/// All of the pipe's ends are taken at this moment (winerror.h).
const ERROR_PIPE_BUSY: i32 = 231;
/// How long a free one is waited for.
const BUSY: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// What clients connect to.
pub(crate) type Listener = PipeListener<Bytes, Bytes>;

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Stream(DuplexPipeStream<Bytes>);

impl Drop for Stream {
    fn drop(&mut self) {
        // What was written is in the pipe, and stays there for the other end to read. Without this, the library would keep the pipe open until it has.
        self.0.assume_flushed();
    }
}

/// The next client.
pub(crate) async fn accept(listener: &Listener) -> io::Result<Stream> {
    listener.accept().await.map(Stream)
}

/// Why whoever is at the other end may not speak. The pipe's access list lets in the user, administrators and the system; of these, only the user and the
/// system are spoken with.
pub(crate) fn stranger(stream: &Stream, place: &Place) -> Option<String> {
    match stream.0.client_process_id().and_then(Sid::of_process) {
        Ok(user) if user == place.user || user.is_system() => None,
        Ok(user) => Some(format!("user {user} spoke")),
        Err(error) => Some(format!("the system does not tell who spoke: {error}")),
    }
}

/// Connects to the helper; nothing, if none is there. What is there was made by an administrator: see [`Place`].
pub(crate) async fn connect(place: &Place) -> Result<Option<Stream>, HelperError> {
    let failed = |error: &io::Error| HelperError::connect(place.socket(), error);
    let mut options = OpenOptions::new();
    options
        .access_mode(ACCESS)
        .share_mode(0)
        .custom_flags(FILE_FLAG_OVERLAPPED)
        .security_qos_flags(SECURITY_IDENTIFICATION);
    let until = Instant::now() + BUSY;
    let file = loop {
        match options.open(&place.pipe) {
            Ok(file) => break file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error)
                if error.raw_os_error() == Some(ERROR_PIPE_BUSY) && Instant::now() < until =>
            {
                sleep(PAUSE).await;
            }
            Err(error) => return Err(failed(&error)),
        }
    };
    let stream = DuplexPipeStream::try_from(OwnedHandle::from(file))
        .map_err(|error| failed(&io::Error::other(error.to_string())))?;
    Ok(Some(Stream(stream)))
}

/// Some bytes; none at the end. Nothing is lost if this is dropped while it waits.
pub(crate) async fn read(stream: &Stream) -> io::Result<(Vec<u8>, Option<Socket>)> {
    let mut bytes = vec![0; READ];
    let length = (&mut &stream.0).read(&mut bytes).await?;
    bytes.truncate(length);
    Ok((bytes, None))
}

/// Sends some of the bytes; tells how many.
pub(crate) async fn write(stream: &Stream, bytes: &[u8], _: Option<&Socket>) -> io::Result<usize> {
    (&mut &stream.0).write(bytes).await
}
