//! The helper's place: its pipe, which no second helper can make.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use interprocess::os::windows::named_pipe::PipeListenerOptions;
use interprocess::os::windows::security_descriptor::SecurityDescriptor;
use widestring::U16CString;

use super::{Listener, Place};
use crate::server::ServeError;

/// What is kept of bytes that the other end has not read, in each direction.
const BUFFER: u32 = 64 << 10;

/// The place, which this helper has for itself.
pub(crate) struct Home {
    listener: Listener,
}

impl Home {
    /// Makes the pipe, and the directory. Who connects waits until the helper listens.
    pub(crate) fn claim(place: &Place) -> Result<Self, ServeError> {
        let failed = |doing, path: &Path| {
            let path = path.to_owned();
            move |source| ServeError::Place { doing, path, source }
        };
        match fs::create_dir(&place.directory) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(failed("make the directory", &place.directory)(error));
            }
            _ => {}
        }
        let access = access(place);
        let access = U16CString::from_str(access).expect("there is no zero in it");
        let access = SecurityDescriptor::deserialize(&access)
            .map_err(failed("say who may use the pipe", &place.pipe))?;
        let made = PipeListenerOptions::new()
            .path(place.pipe.as_path())
            .security_descriptor(Some(access))
            .input_buffer_size_hint(BUFFER)
            .output_buffer_size_hint(BUFFER)
            // The first of its name, from this machine only: the library's own defaults.
            .create_tokio_duplex();
        match made {
            Ok(listener) => Ok(Self { listener }),
            // Of an administrator, this means that there is a first one.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(ServeError::Running),
            Err(error) => Err(failed("make the pipe", &place.pipe)(error)),
        }
    }

    /// Listens.
    pub(crate) fn listen(self) -> Result<(Listener, Left), ServeError> {
        Ok((self.listener, Left))
    }
}

/// What is left of the place without its pipe: a directory that is for the next helper.
pub(crate) struct Left;

impl Left {
    /// Nothing is to be done.
    pub(crate) fn leave(self) {}
}

/// Who may use the pipe (security descriptor definition language): the system and administrators all of it, the user read, write and wait, but not make
/// another of the same name (`FILE_CREATE_PIPE_INSTANCE`, which `FILE_GENERIC_WRITE` has in it); nobody else anything.
fn access(place: &Place) -> String {
    format!("D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;{:#x};;;{})", super::pipe::ACCESS, place.user)
}
