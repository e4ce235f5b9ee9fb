//! Pipes within the process, on which bytes come in pieces, and a clock that stands still.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without input and output needs nothing of the system");
}

/// Does `work` to its end. Time passes only while there is nothing else to do.
pub(super) fn now<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(work))
}

/// What `read` makes of bytes that come in pieces of at most `size`.
pub(super) fn one_way<T>(
    bytes: &[u8],
    size: usize,
    read: impl AsyncFnOnce(&mut DuplexStream) -> T,
) -> T {
    both_ways(bytes, size, async |mut near| read(&mut near).await).0
}

/// The same for what also answers; and its answer, up to where it let the pipe go.
pub(super) fn both_ways<T>(
    bytes: &[u8],
    size: usize,
    near_side: impl AsyncFnOnce(DuplexStream) -> T,
) -> (T, Vec<u8>) {
    let (near, far) = duplex(size);
    let far_side = async {
        let (mut reader, mut writer) = split(far);
        let say = async {
            // Whoever understands nothing may go before all is said.
            let _ = writer.write_all(bytes).await;
            let _ = writer.shutdown().await;
        };
        let mut answer = Vec::new();
        let hear = async {
            let _ = reader.read_to_end(&mut answer).await;
        };
        tokio::join!(say, hear);
        answer
    };
    now(async { tokio::join!(near_side(near), far_side) })
}
