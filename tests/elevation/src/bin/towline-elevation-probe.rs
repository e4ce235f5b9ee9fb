//! A program that speaks with the helper as Towline does, told what to do on its standard input, one line each, and answering with one line each; or, by its
//! arguments, one thing only.

use std::collections::HashMap;
use std::io::Write;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use towline_core::ports::{self, Force};
use towline_core::report::Explain;
use towline_helper::client::{Helper, HelperError, HelperSession};
use towline_machine::HostsEntry;
use towline_machine::hosts_file::HostsFile;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if !words.is_empty() {
        // One thing only, with the terminal for whoever asks for a password.
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match Probe::default().perform(&words).await {
            Ok(said) => answer(&said),
            Err(error) => answer(&format!("error {}", describe(&error))),
        }
        return Ok(());
    }
    answer(&format!("pid {}", std::process::id()));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut probe = Probe::default();
    while let Some(line) = lines.next_line().await? {
        let words: Vec<&str> = line.split(' ').collect();
        match probe.perform(&words).await {
            Ok(said) => answer(&said),
            Err(error) => answer(&format!("error {}", describe(&error))),
        }
    }
    Ok(())
}

fn answer(line: &str) {
    println!("{}", line.replace('\n', " "));
    let _ = std::io::stdout().flush();
}

/// The name of the error, and its words.
fn describe(error: &anyhow::Error) -> String {
    match error.downcast_ref::<HelperError>() {
        Some(helper) => {
            let debug = format!("{helper:?}");
            let name = debug.split([' ', '(', '{']).next().unwrap_or_default().to_owned();
            format!("{name}: {error}")
        }
        None => format!("{error:#}"),
    }
}

#[derive(Default)]
struct Probe {
    helper: Option<Helper>,
    sessions: HashMap<String, HelperSession>,
}

impl Probe {
    async fn perform(&mut self, words: &[&str]) -> Result<String> {
        match *words {
            ["connect"] => self.helper = Some(Helper::connect_or_start().await?),
            ["connect-only"] => match Helper::connect().await? {
                Some(helper) => self.helper = Some(helper),
                None => return Ok("none".to_owned()),
            },
            // hosts SESSION ADDRESS NAME,NAME …
            ["hosts", session, ref rest @ ..] => {
                let entries = rest.chunks(2).map(entry).collect::<Result<Vec<_>>>()?;
                self.session(session)?.set_hosts(entries).await?;
            }
            // many SESSION NUMBER: so many entries.
            ["many", session, number] => {
                let entry = |number: u32| {
                    let address = format!("127.77.{}.{}", number / 250, number % 250 + 1);
                    entry(&[&address, &format!("service-{number},service-{number}.shop")])
                };
                let entries = (0..number.parse()?).map(entry).collect::<Result<Vec<_>>>()?;
                self.session(session)?.set_hosts(entries).await?;
            }
            ["clear", session] => {
                self.session(session)?;
                self.sessions.remove(session).context("no such session")?.clear().await?;
            }
            // Answers everybody who connects.
            ["listen", address, port] => {
                let listener = self.helper()?.listen(address.parse()?, port.parse()?).await?;
                tokio::spawn(greet(TcpListener::from_std(listener)?));
            }
            // Without the helper.
            ["bind", address, port] => {
                let listener = TcpListener::bind((address, port.parse()?)).await?;
                tokio::spawn(greet(listener));
            }
            ["holder", address, port] => {
                let holders = self.helper()?.holder(address.parse()?, port.parse()?).await?;
                let holders = holders.iter().map(ToString::to_string);
                return Ok(holders.collect::<Vec<_>>().join("; "));
            }
            ["stop", address, port, signal] => {
                let helper = self.helper()?;
                let holders = helper.holder(address.parse()?, port.parse()?).await?;
                let claim = holders.first().and_then(|holder| holder.claim());
                let signal = match signal {
                    "kill" => towline_machine::holder::StopSignal::Kill,
                    _ => towline_machine::holder::StopSignal::Term,
                };
                let ended = helper.stop_holder(claim.context("nobody holds it")?, signal).await?;
                return Ok(format!("ended {ended}"));
            }
            // Who holds a port, and freeing it, as the core does both: with the helper if there is one.
            ["who", address, port] => {
                let holders = self.holders(address, port).await?;
                return Ok(ports::named(&holders).unwrap_or_else(|| "nobody".to_owned()));
            }
            ["free", address, port] => {
                let mut said = Vec::new();
                // A port that is taken again each time is not freed by more of the same.
                for _ in 0..5 {
                    let Some(holder) = self.holders(address, port).await?.into_iter().next() else {
                        break;
                    };
                    let stopped = ports::stop_holder(&holder, Force::Ask, self.helper.as_ref());
                    match stopped.await {
                        Ok(stopped) => said.push(stopped.by),
                        Err(error) => bail!("{}", error.explain().message),
                    }
                }
                return Ok(said.join(", "));
            }
            // By name, through the system's own look-up.
            ["fetch", name, port] => {
                let mut stream = TcpStream::connect((name, port.parse()?)).await?;
                let mut said = String::new();
                stream.read_to_string(&mut said).await?;
                return Ok(said);
            }
            // What anybody sees of the sessions in the hosts file.
            ["look"] => {
                let file = HostsFile::look()?;
                return Ok(format!("{} of {} stale", file.stale().count(), file.blocks.len()));
            }
            ["gone"] => return Ok(self.helper()?.gone().await.to_string()),
            ["raw", socket, bytes] => return raw(socket, bytes).await,
            _ => bail!("no such words: {words:?}"),
        }
        Ok("ok".to_owned())
    }

    async fn holders(&self, address: &str, port: &str) -> Result<Vec<ports::Holder>> {
        Ok(ports::holders(address.parse()?, port.parse()?, self.helper.as_ref()).await?)
    }

    fn helper(&self) -> Result<&Helper> {
        self.helper.as_ref().context("not connected")
    }

    fn session(&mut self, name: &str) -> Result<&HelperSession> {
        let helper = self.helper.as_ref().context("not connected")?;
        if !self.sessions.contains_key(name) {
            self.sessions.insert(name.to_owned(), helper.session(name.parse()?));
        }
        self.sessions.get(name).context("just inserted")
    }
}

fn entry(words: &[&str]) -> Result<HostsEntry> {
    let [address, names] = words else { bail!("an address and names are expected: {words:?}") };
    let names = names.split(',').map(str::parse).collect::<Result<_, _>>()?;
    Ok(HostsEntry { address: address.parse()?, names })
}

async fn greet(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let _ = stream.write_all(b"hello").await;
    }
}

/// Sends the bytes and tells all that comes until the other side closes.
async fn raw(socket: &str, bytes: &str) -> Result<String> {
    let mut stream = match UnixStream::connect(socket).await {
        Ok(stream) => stream,
        Err(error) => bail!("{:?}", error.kind()),
    };
    let _ = stream.write_all(bytes.as_bytes()).await;
    let mut said = Vec::new();
    // What was not read there when it closed resets the connection, after what it said.
    let _ = stream.read_to_end(&mut said).await;
    Ok(String::from_utf8_lossy(&said).into_owned())
}
