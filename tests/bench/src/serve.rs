//! The server: what a connection is for stands in its first nine bytes, a letter and a length.

use anyhow::{Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// "Send me so many bytes."
pub(crate) const DOWNLOAD: u8 = b'D';
/// "I send you so many bytes; then answer one."
pub(crate) const UPLOAD: u8 = b'U';
/// "Send back whatever I send, in pieces of this length."
pub(crate) const ECHO: u8 = b'E';

/// Serves on all addresses until it is ended.
pub(crate) async fn serve(port: u16) -> Result<()> {
    let listener = TcpListener::bind(("0.0.0.0", port)).await?;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted?.0,
            _ = terminate.recv() => return Ok(()),
        };
        // A caller that goes away in the middle ends its own connection only.
        tokio::spawn(async move { drop(answer(stream).await) });
    }
}

async fn answer(mut stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let kind = stream.read_u8().await?;
    let length = stream.read_u64().await?;
    match kind {
        DOWNLOAD => {
            let block = vec![0x5a; 256 * 1024];
            let mut left = length;
            while left > 0 {
                let piece = left.min(block.len() as u64);
                stream.write_all(&block[..piece as usize]).await?;
                left -= piece;
            }
            stream.shutdown().await?;
        }
        UPLOAD => {
            let mut block = vec![0; 256 * 1024];
            let mut left = length;
            while left > 0 {
                let read = stream.read(&mut block).await?;
                if read == 0 {
                    bail!("the upload ended early");
                }
                left -= read as u64;
            }
            stream.write_u8(1).await?;
        }
        ECHO => {
            let mut piece = vec![0; usize::try_from(length)?];
            while stream.read_exact(&mut piece).await.is_ok() {
                stream.write_all(&piece).await?;
            }
        }
        other => bail!("an unknown request {other}"),
    }
    Ok(())
}
