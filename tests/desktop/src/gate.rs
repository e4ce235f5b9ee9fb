//! A port of this machine that leads to one in another network namespace.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener as Blocking};
use std::os::fd::AsFd;
use std::path::Path;
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// See the module. Closed, with its connections, when dropped.
pub(crate) struct Gate {
    /// The port here.
    pub(crate) port: u16,
    open: Option<oneshot::Sender<()>>,
    /// A thread of its own: the sockets that it makes are those of the namespace that it is in.
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Gate {
    /// Opens one to `port` of 127.0.0.1 in the namespace `network`.
    ///
    /// # Errors
    /// When no port can be listened on, or the namespace is not there.
    pub(crate) fn to(network: &Path, port: u16) -> Result<Self> {
        let outside = Blocking::bind((Ipv4Addr::LOCALHOST, 0))?;
        outside.set_nonblocking(true)?;
        let here = outside.local_addr()?.port();
        let network =
            File::open(network).with_context(|| format!("look for {}", network.display()))?;
        let (open, closed) = oneshot::channel();
        let thread = thread::Builder::new().name("gate".to_owned()).spawn(move || {
            move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
            runtime.block_on(async {
                let outside = TcpListener::from_std(outside)?;
                tokio::select! {
                    result = carry_all(&outside, port) => result,
                    _ = closed => Ok(()),
                }
            })
        })?;
        Ok(Self { port: here, open: Some(open), thread: Some(thread) })
    }
}

async fn carry_all(outside: &TcpListener, port: u16) -> io::Result<()> {
    loop {
        let (mut client, _) = outside.accept().await?;
        tokio::spawn(async move {
            // Nobody may listen there yet: the client sees that its connection ends.
            let mut inside = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
            copy_bidirectional(&mut client, &mut inside).await
        });
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        drop(self.open.take());
        // The namespace lives as long as the thread is in it.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
