//! Addresses of the loopback interface `lo0` of macOS, which has 127.0.0.1 only; each other is added first. Never run.

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
                configure(address, Change::Add)?;
                self.added.lock().unwrap_or_else(PoisonError::into_inner).insert(address);
            }
        }
        Ok(())
    }

    /// Removes them.
    pub(super) fn withdraw(&self) {
        let added = std::mem::take(&mut *self.added.lock().unwrap_or_else(PoisonError::into_inner));
        for address in added {
            if let Err(error) = configure(address, Change::Remove) {
                super::say(&format!("the address {address} stays: {error}"));
            }
        }
    }
}

fn is_there(address: LoopbackAddress) -> bool {
    UdpSocket::bind((address.ip(), 0)).is_ok()
}

enum Change {
    Add,
    Remove,
}

/// ifconfig(8) of macOS. An alias in the network of another address of the interface, as 127.0.0.0/8 is, needs a mask of its own.
fn configure(address: LoopbackAddress, change: Change) -> io::Result<()> {
    let (address, v4) = (address.to_string(), address.ip().is_ipv4());
    let family = if v4 { "inet" } else { "inet6" };
    let mut words = vec!["lo0", family];
    match change {
        Change::Add if v4 => words.extend(["alias", &address, "netmask", "255.255.255.255"]),
        Change::Add => words.extend(["alias", &address]),
        Change::Remove => words.extend(["-alias", &address]),
    }
    let output = Command::new("/sbin/ifconfig").args(&words).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("ifconfig {}: {}", words.join(" "), said.trim())))
}
