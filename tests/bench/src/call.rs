//! The caller: what one way to a server carries, and how fast.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::figures::{Figures, percentile};
use crate::serve::{DOWNLOAD, ECHO, UPLOAD};

/// The bytes of a bulk measurement, over all its streams.
const BULK: u64 = 384 * 1024 * 1024;
/// The bytes of a small request, and of its answer.
const SMALL: usize = 1024;
/// A measurement of many small things ends after this time, however few there were.
const PATIENCE: Duration = Duration::from_secs(4);

/// Measures everything, one thing after the other.
pub(crate) async fn measure(server: SocketAddr) -> Result<Figures> {
    // The first connection finds caches cold and tunnels narrow on every way; it counts on none.
    bulk(server, DOWNLOAD, 1, 16 * 1024 * 1024).await?;
    let download_1 = bulk(server, DOWNLOAD, 1, BULK).await?;
    let download_8 = bulk(server, DOWNLOAD, 8, BULK).await?;
    let upload_1 = bulk(server, UPLOAD, 1, BULK).await?;
    let upload_8 = bulk(server, UPLOAD, 8, BULK).await?;
    let (one_by_one, mut new) = connections(server, 1, 400).await?;
    let (together, _) = connections(server, 64, 1600).await?;
    let mut kept = kept(server, 2000).await?;
    Ok(Figures {
        download_1,
        download_8,
        upload_1,
        upload_8,
        one_by_one,
        together,
        new_p50: percentile(&mut new, 50),
        new_p99: percentile(&mut new, 99),
        kept_p50: percentile(&mut kept, 50),
        kept_p99: percentile(&mut kept, 99),
    })
}

async fn open(server: SocketAddr, kind: u8, length: u64) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let mut request = vec![kind];
    request.extend_from_slice(&length.to_be_bytes());
    stream.write_all(&request).await?;
    Ok(stream)
}

/// Megabytes (10⁶ bytes) a second over `streams` connections at once.
async fn bulk(server: SocketAddr, kind: u8, streams: u64, bytes: u64) -> Result<f64> {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..streams {
        tasks.spawn(async move {
            let share = bytes / streams;
            let mut stream = open(server, kind, share).await?;
            let mut block = vec![0; 256 * 1024];
            if kind == UPLOAD {
                let mut left = share;
                while left > 0 {
                    let piece = left.min(block.len() as u64);
                    stream.write_all(&block[..piece as usize]).await?;
                    left -= piece;
                }
                stream.read_u8().await?;
                return Ok(());
            }
            let mut got = 0;
            loop {
                let read = stream.read(&mut block).await?;
                if read == 0 {
                    break;
                }
                got += read as u64;
            }
            ensure!(got == share, "{got} bytes came, {share} were sent");
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(bytes as f64 / 1e6 / start.elapsed().as_secs_f64())
}

/// A small request on a connection of its own, `width` at once: connections a second, and the time of each.
async fn connections(
    server: SocketAddr,
    width: usize,
    most: usize,
) -> Result<(f64, Vec<Duration>)> {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..width {
        tasks.spawn(async move {
            let mut times = Vec::new();
            while times.len() < most / width && start.elapsed() < PATIENCE {
                let begin = Instant::now();
                let mut stream = open(server, ECHO, SMALL as u64).await?;
                request(&mut stream).await?;
                times.push(begin.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done??);
    }
    Ok((times.len() as f64 / start.elapsed().as_secs_f64(), times))
}

/// Small requests on one connection: the time of each.
async fn kept(server: SocketAddr, most: usize) -> Result<Vec<Duration>> {
    let mut stream = open(server, ECHO, SMALL as u64).await?;
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < most && start.elapsed() < PATIENCE {
        let begin = Instant::now();
        request(&mut stream).await?;
        times.push(begin.elapsed());
    }
    Ok(times)
}

async fn request(stream: &mut TcpStream) -> Result<()> {
    let mut piece = [7; SMALL];
    stream.write_all(&piece).await?;
    stream.read_exact(&mut piece).await?;
    Ok(())
}
