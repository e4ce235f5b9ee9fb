//! Addresses of the loopback interface. Linux has all of 127.0.0.0/8 there from the start; macOS has 127.0.0.1 only, and each other is added first. (The
//! macOS part is untested.)

use std::collections::BTreeSet;
use std::io;
use std::net::UdpSocket;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use towline_machine::LoopbackAddress;

/// The addresses that this helper added, which go with it.
#[derive(Default)]
pub(super) struct Addresses {
    added: Mutex<BTreeSet<LoopbackAddress>>,
}

impl Addresses {
    /// Makes sure that they can be listened on.
    pub(super) fn provide(
        &self,
        addresses: impl IntoIterator<Item = LoopbackAddress>,
    ) -> io::Result<()> {
        for address in addresses {
            if !is_there(address) {
                configure(address, &["alias"])?;
                self.added.lock().unwrap_or_else(PoisonError::into_inner).insert(address);
            }
        }
        Ok(())
    }

    /// Removes them.
    pub(super) fn withdraw(&self) {
        let added = std::mem::take(&mut *self.added.lock().unwrap_or_else(PoisonError::into_inner));
        for address in added {
            if let Err(error) = configure(address, &["-alias"]) {
                super::say(&format!("the address {address} stays: {error}"));
            }
        }
    }
}

fn is_there(address: LoopbackAddress) -> bool {
    cfg!(target_os = "linux") || UdpSocket::bind((address.ip(), 0)).is_ok()
}

/// ifconfig(8) of macOS.
fn configure(address: LoopbackAddress, how: &[&str]) -> io::Result<()> {
    let family = if address.ip().is_ipv4() { "inet" } else { "inet6" };
    let output = Command::new("/sbin/ifconfig")
        .args(["lo0", family])
        .args(how)
        .arg(address.to_string())
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("ifconfig lo0 {} {address}: {}", how.join(" "), said.trim())))
}
