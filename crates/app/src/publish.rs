//! Where changes go on their way to the window.

use crate::view::Change;

/// Takes changes for the window. Putting is cheap and never waits; of several changes of one thing the window sees the newest.
pub trait Publish: Send + Sync {
    /// Takes one.
    fn put(&self, change: Change);
}

#[cfg(test)]
pub(crate) mod testing {
    use std::sync::Mutex;

    use super::*;

    /// Keeps what is put.
    #[derive(Default)]
    pub(crate) struct Published(Mutex<Vec<Change>>);

    impl Published {
        /// What has been put since the last call.
        pub(crate) fn take(&self) -> Vec<Change> {
            std::mem::take(&mut *self.0.lock().unwrap_or_else(|error| error.into_inner()))
        }
    }

    impl Publish for Published {
        fn put(&self, change: Change) {
            self.0.lock().unwrap_or_else(|error| error.into_inner()).push(change);
        }
    }
}
