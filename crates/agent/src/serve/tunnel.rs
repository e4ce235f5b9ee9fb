//! One client: its handshake, its control stream, and the streams that it opens.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc};
use tokio::time::{sleep, timeout};
use towline_wire::control::{self, Message, SILENCE};
use towline_wire::frame::{self, FrameError};
use towline_wire::handshake::{self, Hello, ResumePosition};
use towline_wire::mux::{Acceptor, MuxStream, Side, multiplex};
use towline_wire::{ToAgent, resume};
use tracing::{debug, info, warn};

use super::{Shared, datagrams, dial, files};

/// This agent's release, as clients are told.
const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// The buffer each way between yamux and the socket, in bytes: a full frame and its headers are one write.
const BUFFER: usize = 72 * 1024;

/// How long a stream may take to say what it is for.
const HEADER: Duration = Duration::from_secs(10);

/// The pause after a failed accept.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Accepts clients, for ever.
pub(crate) async fn await_clients(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let tcp = match listener.accept().await {
            Ok((tcp, _)) => tcp,
            Err(error) => {
                warn!("accepting a client failed: {error}");
                sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        // Whoever can reach the pod's loopback may try, but not take up the agent with it.
        let Ok(place) = shared.strangers.clone().try_acquire_owned() else {
            warn!("too many connections without a handshake; one more was closed");
            continue;
        };
        tokio::spawn(serve(tcp, place, shared.clone()));
    }
}

async fn serve(tcp: TcpStream, place: OwnedSemaphorePermit, shared: Arc<Shared>) {
    if let Err(error) = tcp.set_nodelay(true) {
        debug!("a client has gone: {error}");
        return;
    }
    let mut io = BufStream::with_capacity(BUFFER, BUFFER, tcp);
    let settings = &shared.settings;
    let mut resumed = None;
    let position = |hello: &Hello| {
        resumed = hello.resume.and_then(|wanted| {
            let (pipe, position) = shared.tunnels.detach(wanted)?;
            Some((pipe, wanted.received, position))
        });
        let begun = || ResumePosition { pipe: resume::number(), received: 0 };
        resumed.as_ref().map_or_else(begun, |(_, _, position)| *position)
    };
    let (session, digest, host) = (&settings.session, &settings.digest, &settings.host);
    let greeted = handshake::receive(&mut io, session, digest, RELEASE, host, position).await;
    let (hello, accepted) = match greeted {
        Ok(greeted) => greeted,
        Err(error) => {
            warn!("a client was not admitted: {error}");
            return;
        }
    };
    drop(place);

    if let Some((pipe, received, _)) = resumed {
        match pipe.resume(io, received) {
            Ok(()) => info!("the client goes on after a short loss"),
            Err(error) => warn!("the client cannot go on: {error}"),
        }
        return;
    }
    match accepted.resume {
        None => tend(io, None, &hello, &shared).await,
        Some(position) => {
            let (pipe, handle) = resume::begin(position.pipe, io);
            tend(pipe, Some(handle), &hello, &shared).await;
        }
    }
}

/// Serves the client of one pipe until that is over, or another client comes.
async fn tend(
    io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    pipe: Option<resume::Handle>,
    hello: &Hello,
    shared: &Arc<Shared>,
) {
    let (opener, acceptor, driver) = multiplex(io, Side::Agent);
    let tunnel = shared.tunnels.install(opener, pipe.clone());
    info!("a client is connected (release {})", hello.release);
    let patience = if pipe.is_some() { resume::WORST } else { SILENCE };
    let control = Arc::new(Control { patience, opened: Notify::new(), ended: Notify::new() });
    // When this ends, the driver is dropped, and with it every stream of the tunnel is reset, and so every connection on it.
    let why = tokio::select! {
        ended = driver => match ended {
            Ok(()) => "it has left".to_owned(),
            Err(error) => error.to_string(),
        },
        () = take_streams(acceptor, &control, shared) => "it has left".to_owned(),
        () = control.lost() => "its heartbeat has ceased".to_owned(),
        () = shared.tunnels.replaced(&tunnel) => match *shared.ending.borrow() {
            true => "the agent is ending".to_owned(),
            false => "a newer one has taken its place".to_owned(),
        },
    };
    shared.tunnels.remove(&tunnel);
    if let Some(pipe) = pipe {
        pipe.close().await;
    }
    info!("the client is disconnected: {why}");
}

/// What is known of the control stream of one tunnel.
#[derive(Debug)]
struct Control {
    /// How long nothing may be heard.
    patience: Duration,
    opened: Notify,
    ended: Notify,
}

impl Control {
    /// Resolves when the control stream has ended, or was never opened.
    async fn lost(&self) {
        if timeout(self.patience, self.opened.notified()).await.is_ok() {
            self.ended.notified().await;
        }
    }
}

async fn take_streams(mut acceptor: Acceptor, control: &Arc<Control>, shared: &Arc<Shared>) {
    while let Some(stream) = acceptor.accept().await {
        let (control, shared) = (control.clone(), shared.clone());
        tokio::spawn(async move {
            if let Err(error) = take(stream, &control, &shared).await {
                debug!("a stream of the client failed: {error}");
            }
        });
    }
}

async fn take(mut stream: MuxStream, control: &Control, shared: &Shared) -> Result<(), FrameError> {
    let Ok(header) = timeout(HEADER, frame::read(&mut stream)).await else { return Ok(()) };
    match header? {
        ToAgent::Control => {
            control.opened.notify_one();
            speak(stream, shared, control.patience).await;
            control.ended.notify_one();
        }
        ToAgent::Dial { host, port } => dial::serve(stream, &host, port, &shared.names).await,
        ToAgent::DialUdp { host, port } => {
            datagrams::serve(stream, &host, port, &shared.names).await;
        }
        ToAgent::Environment => answer(stream, &shared.settings.environment).await?,
        ToAgent::Resolve { name } => answer(stream, &shared.names.resolve(&name).await).await?,
        ToAgent::SearchList => answer(stream, &shared.names.search_list()).await?,
        ToAgent::Files(ask) => files::serve(stream, ask, &shared.files).await?,
    }
    Ok(())
}

async fn answer<T: serde::Serialize>(mut stream: MuxStream, value: &T) -> Result<(), FrameError> {
    frame::write(&mut stream, value).await?;
    Ok(stream.shutdown().await?)
}

/// Runs the control stream: what is known of the ports first, and at the end that it is the end.
async fn speak(stream: MuxStream, shared: &Shared, patience: Duration) {
    let (say, said) = mpsc::channel(1);
    let (heard, mut hears) = mpsc::channel(1);
    let mut ending = shared.ending.clone();
    let tell = async {
        for port in &shared.ports {
            if say.send(port.clone()).await.is_err() {
                return;
            }
        }
        // An error here or there means that the agent is gone, or the client.
        if ending.wait_for(|ending| *ending).await.is_ok() {
            let _ = say.send(Message::Ending).await;
        }
        std::future::pending().await
    };
    // The client has nothing to tell yet; a later version may have.
    let listen = async { while hears.recv().await.is_some() {} };
    tokio::select! {
        error = control::run(stream, said, heard, patience) => debug!("the control stream ended: {error}"),
        () = async { tokio::join!(tell, listen); } => {}
    }
}
