//! The cluster's DNS server: our own program, running on the node.

use std::{
    fs,
    net::UdpSocket,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};

use super::{
    Sandbox,
    cluster::Component,
    control_plane::words,
    processes,
    wait::{self, Daemon},
};
use crate::{
    agent::{cargo, run},
    paths,
};

/// The package's name, and the program's.
pub(crate) const PACKAGE: &str = "towline-sandbox-dns";

const LIMIT: Duration = Duration::from_secs(60);

/// A query for `kubernetes.default.svc.DOMAIN`, type A (RFC 1035, 4.1).
fn query(domain: &str) -> Result<Vec<u8>> {
    let mut query = b"\x70\x77\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00".to_vec();
    for label in ["kubernetes", "default", "svc"].into_iter().chain(domain.split('.')) {
        query.push(u8::try_from(label.len())?);
        query.extend(label.as_bytes());
    }
    query.extend(b"\x00\x00\x01\x00\x01");
    Ok(query)
}

/// Starts the DNS server, `built`, if it is not running or is another.
pub(super) fn ensure(sandbox: &Sandbox, built: &Path) -> Result<()> {
    let component = component(sandbox);
    let running = sandbox.processes()?.into_iter().find(|process| process.runs(&component));
    let contents = fs::read(built).with_context(|| format!("read {}", built.display()))?;
    let fresh = fs::read(&component.program).is_ok_and(|old| old == contents);
    match running {
        Some(_) if fresh => return Ok(()),
        Some(process) => processes::kill(&[process.id()])?,
        None => {}
    }
    // A copy of its own: the build's output may be replaced while the server runs.
    let next = component.program.with_extension("next");
    fs::copy(built, &next)?;
    fs::rename(&next, &component.program)?;
    let address = sandbox.node_address();
    let mut server = Daemon::start(
        sandbox,
        component.name,
        &words(
            &component.program.to_string_lossy(),
            &[
                &format!("--kubeconfig={}", sandbox.kubeconfig().display()),
                &format!("--listen={address}:53"),
                &format!("--domain={}", sandbox.domain()),
            ],
        ),
    )?;
    wait::until("the DNS server knows the API server's service", LIMIT, Some(&mut server), || {
        Ok(answers(sandbox)?.then_some(()))
    })
}

/// The DNS server's process.
pub(super) fn component(sandbox: &Sandbox) -> Component {
    Component { name: "dns", program: sandbox.run().join(PACKAGE) }
}

/// Builds it, without optimisation: that is quick, and a few questions a second need no more.
pub(super) fn build() -> Result<PathBuf> {
    let mut build = cargo();
    build.args(["build", "--quiet", "--locked", "--package", PACKAGE]);
    run(&mut build, "build the DNS server")?;
    Ok(paths::target().join("debug").join(PACKAGE))
}

/// Whether the server gives the address of a service that every cluster has.
fn answers(sandbox: &Sandbox) -> Result<bool> {
    let socket = UdpSocket::bind((sandbox.host_address(), 0))?;
    socket.set_read_timeout(Some(Duration::from_millis(500)))?;
    socket.connect((sandbox.node_address(), 53))?;
    let query = query(&sandbox.domain())?;
    let mut answer = [0; 512];
    // Refused while nobody listens there: the server has not come so far.
    let Ok(length) = socket.send(&query).and_then(|_| socket.recv(&mut answer)) else {
        return Ok(false);
    };
    let (code, records) = (answer[3] & 0x0f, u16::from_be_bytes([answer[6], answer[7]]));
    Ok(length > query.len() && code == 0 && records > 0)
}
