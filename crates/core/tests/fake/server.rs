//! An HTTP server that keeps what it is asked.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A request as a test looks at it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) authorization: String,
    pub(crate) body: Value,
}

type Answer = Arc<dyn Fn(&Request) -> (u16, Value) + Send + Sync>;

pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) async fn start(
        answer: impl Fn(&Request) -> (u16, Value) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (seen, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer) as Answer);
        let keep = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer.clone(), keep.clone()));
            }
        });
        Self { url, seen }
    }

    /// Answers the version, and nothing else.
    pub(crate) async fn version() -> Self {
        Self::start(|_| (200, version())).await
    }

    pub(crate) fn authorizations(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|request| request.authorization.clone()).collect()
    }
}

pub(crate) fn version() -> Value {
    json!({"major": "1", "minor": "33+", "gitVersion": "v1.33.1", "gitCommit": "", "gitTreeState": "", "buildDate": "",
        "goVersion": "", "compiler": "", "platform": ""})
}

pub(crate) fn status(code: u16, reason: &str, message: &str) -> (u16, Value) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message});
    (code, status)
}

async fn serve(stream: TcpStream, answer: Answer, keep: Arc<Mutex<Vec<Request>>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        let (status, body) = answer(&request);
        keep.lock().unwrap().push(request);
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).await.unwrap();
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut request = Request::default();
    let (mut line, mut length) = (String::new(), 0);
    while stream.read_line(&mut line).await.is_ok_and(|count| count > 0) {
        let text = line.trim_end();
        if text.is_empty() {
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.ok()?;
            request.body = serde_json::from_slice(&body).unwrap_or_default();
            return Some(request);
        }
        match text.split_once(": ") {
            Some(("authorization", value)) => value.clone_into(&mut request.authorization),
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(_) => {}
            None => {
                let mut words = text.split(' ');
                request.method = words.next().unwrap().to_owned();
                let target = words.next().unwrap();
                let (path, query) = target.split_once('?').unwrap_or((target, ""));
                (request.path, request.query) = (path.to_owned(), query.to_owned());
            }
        }
        line.clear();
    }
    None
}
