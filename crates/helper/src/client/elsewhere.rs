//! Systems without a helper: untested, and so refused. A session in hosts mode is not possible there.

use std::convert::Infallible;
use std::net::TcpListener;
use std::num::NonZeroU16;

use towline_machine::LoopbackAddress;

use super::HelperError;
use crate::protocol::{Answer, Request};

/// There is none.
#[derive(Debug)]
pub(super) struct Connection(Infallible);

impl Connection {
    pub(super) async fn open() -> Result<Option<Self>, HelperError> {
        Ok(None)
    }

    pub(super) async fn open_or_start() -> Result<Self, HelperError> {
        Err(HelperError::Unsupported)
    }

    pub(super) async fn call(&self, _: Request) -> Result<Answer, HelperError> {
        match self.0 {}
    }

    pub(super) async fn listen(
        &self,
        _: LoopbackAddress,
        _: NonZeroU16,
    ) -> Result<TcpListener, HelperError> {
        match self.0 {}
    }

    pub(super) fn tell(&self, _: Request) {
        match self.0 {}
    }

    pub(super) async fn gone(&self) -> HelperError {
        match self.0 {}
    }

    pub(super) fn is_gone(&self) -> bool {
        match self.0 {}
    }
}

pub(super) fn is_elevated() -> bool {
    false
}
