//! A running agent, and a client as the core is one.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use towline_agent::serve::{Agent, Settings};
use towline_wire::chunk::{self, Kind};
use towline_wire::control::{self, Heard, Message};
use towline_wire::handshake::{self, Accepted, Hello, VERSIONS, Versions};
use towline_wire::header::Variable;
use towline_wire::mux::{Acceptor, MuxStream, Opener, Side, multiplex};
use towline_wire::{SessionId, SessionKey, ToAgent, ToClient, Traffic, carry, frame, resume};

pub(crate) struct Running {
    pub(crate) session: SessionId,
    pub(crate) key: SessionKey,
    pub(crate) control: u16,
    pub(crate) port: u16,
    pub(crate) udp_port: u16,
    pub(crate) end: oneshot::Sender<()>,
    pub(crate) agent: JoinHandle<()>,
}

pub(crate) fn settings(session: &SessionId, key: &SessionKey) -> Settings {
    let variable = |name: &str, value: &[u8]| Variable {
        name: name.as_bytes().to_vec().into(),
        value: value.to_vec().into(),
    };
    Settings {
        session: session.clone(),
        digest: key.digest(),
        control_port: 0,
        ports: vec![0],
        udp_ports: vec![0],
        environment: vec![variable("GREETING", b"a\nb"), variable("BYTES", &[0xff, 0xfe])],
        host: "orders-0".into(),
    }
}

pub(crate) fn start() -> Running {
    let (session, key) = (SessionId::generate(), SessionKey::generate());
    let agent = Agent::bind(settings(&session, &key)).unwrap();
    let (control, port) = (agent.control_address().unwrap().port(), agent.ports()[0]);
    let udp_port = agent.udp_ports()[0];
    let (end, ended) = oneshot::channel();
    let agent = tokio::spawn(agent.run(async {
        // Dropping the sender is no reason to end.
        if ended.await.is_err() {
            std::future::pending::<()>().await;
        }
    }));
    Running { session, key, control, port, udp_port, end, agent }
}

pub(crate) struct Client {
    pub(crate) opener: Opener,
    acceptor: Acceptor,
    heard: mpsc::Receiver<Heard>,
    pub(crate) driver: JoinHandle<()>,
    pub(crate) pipe: Option<resume::Handle>,
    _say: mpsc::Sender<Message>,
}

impl Running {
    pub(crate) fn hello(&self) -> Hello {
        Hello {
            versions: VERSIONS,
            release: "test".into(),
            session: self.session.clone(),
            key: self.key.clone(),
            resume: None,
        }
    }

    /// A connection whose handshake is done.
    pub(crate) async fn greeted(&self, hello: &Hello) -> (TcpStream, Accepted) {
        let mut tcp = TcpStream::connect(("127.0.0.1", self.control)).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        let accepted = handshake::greet(&mut tcp, hello).await.unwrap();
        assert_eq!(accepted.host, "orders-0");
        (tcp, accepted)
    }

    pub(crate) async fn connect(&self) -> Client {
        let (tcp, accepted) = self.greeted(&self.hello()).await;
        let position = accepted.resume.unwrap();
        assert_eq!(position.received, 0);
        let (pipe, handle) = resume::begin(position.pipe, tcp);
        self.client(pipe, Some(handle)).await
    }

    /// A client of the first version, whose tunnel is lost with its connection.
    pub(crate) async fn connect_as_before(&self) -> Client {
        let versions = Versions { oldest: 1, newest: 1 };
        let (tcp, accepted) = self.greeted(&Hello { versions, ..self.hello() }).await;
        assert_eq!((accepted.version, accepted.resume), (1, None));
        self.client(tcp, None).await
    }

    async fn client(
        &self,
        io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        pipe: Option<resume::Handle>,
    ) -> Client {
        let (opener, acceptor, driver) = multiplex(io, Side::Client);
        let driver = tokio::spawn(async move { drop(driver.await) });
        let mut control = opener.open().await.unwrap();
        frame::write(&mut control, &ToAgent::Control).await.unwrap();
        let (say, said) = mpsc::channel(1);
        let (hear, heard) = mpsc::channel(64);
        tokio::spawn(control::run(control, said, hear, resume::WORST));
        Client { opener, acceptor, heard, driver, pipe, _say: say }
    }

    pub(crate) async fn caller(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }
}

impl Client {
    pub(crate) async fn incoming(&mut self) -> (u16, MuxStream) {
        let mut stream = self.acceptor.accept().await.unwrap();
        let ToClient::Incoming { port, peer } = frame::read(&mut stream).await.unwrap() else {
            panic!("UDP");
        };
        assert!(peer.ip().is_loopback() && peer.is_ipv4(), "{peer}");
        (port, stream)
    }

    /// The next peer that sends datagrams.
    pub(crate) async fn incoming_udp(&mut self) -> (u16, MuxStream) {
        let mut stream = self.acceptor.accept().await.unwrap();
        let ToClient::IncomingUdp { port, peer } = frame::read(&mut stream).await.unwrap() else {
            panic!("TCP");
        };
        assert!(peer.ip().is_loopback() && peer.is_ipv4(), "{peer}");
        (port, stream)
    }

    /// Joins the next incoming connection with a local one, as the core does, and gives the local program's end.
    pub(crate) async fn joined(&mut self) -> TcpStream {
        let (_, mut stream) = self.incoming().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dial = TcpStream::connect(listener.local_addr().unwrap());
        let (near, far) = tokio::join!(dial, listener.accept());
        chunk::write_mark(&mut stream, Kind::Ready).await.unwrap();
        let tcp = near.unwrap();
        tokio::spawn(async move { carry(tcp, stream, &Traffic::default(), || ()).await });
        far.unwrap().0
    }

    pub(crate) async fn ask(&self, question: ToAgent) -> MuxStream {
        let mut stream = self.opener.open().await.unwrap();
        frame::write(&mut stream, &question).await.unwrap();
        stream
    }

    /// Has the agent dial, and gives the end of a local connection that is carried.
    pub(crate) async fn dial(&self, host: &str, port: u16) -> TcpStream {
        let stream = self.ask(ToAgent::Dial { host: host.into(), port }).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dial = TcpStream::connect(listener.local_addr().unwrap());
        let (near, far) = tokio::join!(dial, listener.accept());
        let tcp = far.unwrap().0;
        tokio::spawn(async move { carry(tcp, stream, &Traffic::default(), || ()).await });
        near.unwrap()
    }

    pub(crate) async fn told(&mut self) -> Message {
        loop {
            if let Heard::Message(message) = self.heard.recv().await.unwrap() {
                return message;
            }
        }
    }
}
