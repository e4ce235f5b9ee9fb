//! Helper and client in one process, on a hosts file of the test's own. With the superuser's rights, and with users who have none: `tests/elevation`.

mod abuse;
mod frames;
mod sessions;
mod sockets;

use std::fs;
use std::path::PathBuf;

use rustix::process::geteuid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use towline_machine::{HostsEntry, SessionName};

use crate::client::Helper;
use crate::frame::{self, Decoder};
use crate::protocol::{Greeting, Hello, Refusal, Reply};
use crate::server::{Place, ServeError, Setup, serve};

const BEFORE: &str = "127.0.0.1 localhost\n10.0.0.1 theirs # towline\n";

/// A helper on files of its own, as the user who runs the test.
struct Stage {
    directory: tempfile::TempDir,
    setup: Setup,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Stage {
    fn new(content: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let uid = geteuid().as_raw();
        let place = Place { root: directory.path().join("run"), uid, helper_uid: uid };
        let hosts = directory.path().join("hosts");
        fs::write(&hosts, content).unwrap();
        Self { directory, setup: Setup { place, hosts }, stop: None, served: None }
    }

    async fn start(content: &str) -> Self {
        let mut stage = Self::new(content);
        stage.serve();
        stage
    }

    fn serve(&mut self) {
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async {
            let _ = stopped.await;
        };
        self.served = Some(tokio::spawn(serve(self.setup.clone(), until)));
        self.stop = Some(stop);
    }

    /// A client, as soon as the helper is there.
    async fn client(&self) -> Helper {
        loop {
            if let Some(helper) = Helper::connect_at(&self.setup.place).await.unwrap() {
                return helper;
            }
            assert!(!self.served.as_ref().unwrap().is_finished(), "the helper has ended");
            tokio::task::yield_now().await;
        }
    }

    /// A client that says what it wants.
    async fn raw(&self) -> Raw {
        // The socket is there, and stays.
        drop(self.client().await);
        let stream = UnixStream::connect(self.setup.place.socket()).await.unwrap();
        Raw { stream, decoder: Decoder::default() }
    }

    fn file(&self) -> String {
        fs::read_to_string(&self.setup.hosts).unwrap()
    }

    /// Waits until the file is as it was before.
    async fn until_restored(&self, content: &str) {
        while self.file() != content {
            tokio::task::yield_now().await;
        }
    }

    async fn end(&mut self) -> Result<(), ServeError> {
        drop(self.stop.take());
        self.served.take().unwrap().await.unwrap()
    }

    fn run(&self) -> PathBuf {
        self.directory.path().join("run")
    }
}

struct Raw {
    stream: UnixStream,
    decoder: Decoder,
}

impl Raw {
    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    async fn greet(&mut self) {
        self.send(&frame::encode(&Hello::own()).unwrap()).await;
        assert_eq!(self.next::<Greeting>().await, Some(Greeting::Welcome(Hello::own())));
    }

    /// The next frame; nothing at the end.
    async fn next<T: serde::de::DeserializeOwned>(&mut self) -> Option<T> {
        loop {
            if let Some(value) = self.decoder.take().unwrap() {
                return Some(value);
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes).await {
                // What was not read when it closed resets the connection.
                Ok(0) | Err(_) => return None,
                Ok(length) => self.decoder.feed(&bytes[..length]),
            }
        }
    }

    /// Why the helper closed.
    async fn farewell(&mut self) -> Refusal {
        let mut last = None;
        while let Some(reply) = self.next::<Reply>().await {
            last = Some(reply);
        }
        match last {
            Some(Reply { id: None, answer: crate::protocol::Answer::Refused(refusal) }) => refusal,
            other => panic!("closed after {other:?}"),
        }
    }
}

fn session(text: &str) -> SessionName {
    text.parse().unwrap()
}

fn entry(address: &str, names: &[&str]) -> HostsEntry {
    let names = names.iter().map(|name| name.parse().unwrap()).collect();
    HostsEntry { address: address.parse().unwrap(), names }
}
