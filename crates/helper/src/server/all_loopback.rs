//! Addresses of the loopback interface. Linux and Windows have all of 127.0.0.0/8 there from the start.

use std::io;

use towline_machine::LoopbackAddress;

/// The addresses that this helper added: none.
#[derive(Default)]
pub(super) struct Addresses {}

impl Addresses {
    /// Makes sure that they can be listened on.
    pub(super) fn provide(&self, _: impl IntoIterator<Item = LoopbackAddress>) -> io::Result<()> {
        Ok(())
    }

    /// Removes them.
    pub(super) fn withdraw(&self) {}
}
