//! The developer's own program, and a session around it that works.

use anyhow::{Context, Result, bail};

use crate::namespace::Namespace;
use crate::towline::Connected;
use crate::{eventually, here, node};

/// An HTTP server on 127.0.0.1 at the port in its first argument that answers `local <its process>`, and ends when `towline` is gone without
/// having stopped it.
pub const PROGRAM: &str = r#"
import http.server, os, sys, threading, time
parent = os.getppid()
def follow():
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)
threading.Thread(target=follow, daemon=True).start()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = f"local {os.getpid()}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"#;

impl Namespace {
    /// Starts a session on `target`, whose container listens on 8080, around [`PROGRAM`], and waits until it answers a caller in the cluster
    /// through `service`.
    ///
    /// # Errors
    /// When that does not come about.
    pub async fn stand_in(
        &self,
        target: &str,
        service: &str,
        arguments: &[&str],
    ) -> Result<Connected> {
        let port = here::free_port().await?.to_string();
        let mapping = format!("8080:{port}");
        let mut all = vec![target, "--port", &mapping];
        all.extend(arguments);
        let mut session = self.connect(&all, &["/usr/bin/python3", "-c", PROGRAM, &port])?;
        session.event("connected").await?;
        self.answered_by_local(service).await.with_context(|| session.told())?;
        Ok(session)
    }

    /// Waits until a caller in the cluster is answered by [`PROGRAM`] through `service`, and gives the program's process.
    ///
    /// # Errors
    /// When that does not happen.
    pub async fn answered_by_local(&self, service: &str) -> Result<u32> {
        let url = format!("http://{}/", self.cluster_ip(service).await?);
        eventually(&format!("an answer of the local program through {service}"), || async {
            let answer = node::get(&url).await?;
            let Some(process) = answer.strip_prefix("local ") else { bail!("answered: {answer}") };
            Ok(Some(process.parse()?))
        })
        .await
    }

    /// Waits until a caller in the cluster is answered by the cluster's own program through `service`.
    ///
    /// # Errors
    /// When that does not happen.
    pub async fn answered_by_cluster(&self, service: &str) -> Result<()> {
        let url = format!("http://{}/", self.cluster_ip(service).await?);
        eventually(&format!("an answer of the cluster's own program through {service}"), || async {
            let answer = node::get(&url).await?;
            if answer.starts_with("cluster ") { Ok(Some(())) } else { bail!("answered: {answer}") }
        })
        .await
    }
}
