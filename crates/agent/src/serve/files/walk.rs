//! Going through what is in a mount. Each directory is opened anew from the mount, so that a deep one does not need many open files, and of those
//! that are still to be read only the names are kept, so that many do not need much memory.

mod pending;

use std::io;
use std::ops::ControlFlow;

use towline_beneath::{Directory, FileKind, FileStat, Inside};
use towline_wire::files::Refusal;

use self::pending::Pending;
use super::mounts::Opened;

/// Something that was come upon.
pub(super) struct Found<'a> {
    /// Where; empty for a mount that is a file.
    pub(super) path: &'a Inside,
    /// The directory that it is in.
    pub(super) parent: &'a Directory,
    /// Its name there; empty for the mounted directory itself.
    pub(super) name: &'a [u8],
    /// What it is, or why that cannot be told; of a directory that cannot be entered, why not.
    pub(super) stat: io::Result<FileStat>,
}

/// Shows everything at and below `starts` to `visit`, a directory before what is in it, and nothing twice.
pub(super) fn walk(
    opened: &Opened,
    starts: &[Inside],
    visit: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
) -> Result<(), Refusal> {
    if let Some(name) = &opened.file {
        let parent = &opened.directory;
        let stat = parent.stat(name);
        let _ = visit(Found { path: &Inside::top(), parent, name, stat });
        return Ok(());
    }
    for (index, start) in starts.iter().enumerate() {
        if starts[..index].iter().any(|outer| start.is_within(outer)) {
            continue;
        }
        if start.is_top() || is_directory(opened, start)? {
            if directory(opened, start, visit).is_break() {
                return Ok(());
            }
            continue;
        }
        let Some((above, name)) = start.split() else { continue };
        let parent = opened
            .directory
            .descend(&above)
            .map_err(|error| Refusal::of(format!("opening '{above}'"), &error))?;
        let stat = parent.stat(name);
        if visit(Found { path: start, parent: &parent, name, stat }).is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// What was named must be there.
fn is_directory(opened: &Opened, path: &Inside) -> Result<bool, Refusal> {
    let Some((above, name)) = path.split() else { return Ok(true) };
    let stat = opened.directory.descend(&above).and_then(|parent| parent.stat(name));
    let stat = stat.map_err(|error| Refusal::of(format!("looking at '{path}'"), &error))?;
    Ok(stat.kind == FileKind::Directory)
}

fn directory(
    opened: &Opened,
    start: &Inside,
    visit: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    if opened.others.contains(start) {
        return ControlFlow::Continue(());
    }
    let mut pending = Pending::default();
    if let Some(here) = open(opened, start, visit)? {
        if !start.is_top() {
            visit(Found { path: start, parent: &here, name: b"", stat: here.stat_self() })?;
        }
        read(opened, start, &here, &mut pending, visit)?;
    }
    while let Some(path) = pending.pop() {
        if let Some(here) = open(opened, &path, visit)? {
            read(opened, &path, &here, &mut pending, visit)?;
        }
    }
    ControlFlow::Continue(())
}

/// Opens a directory; one that cannot be is shown.
fn open(
    opened: &Opened,
    path: &Inside,
    visit: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
) -> ControlFlow<(), Option<Directory>> {
    match opened.directory.descend(path) {
        Ok(here) => ControlFlow::Continue(Some(here)),
        Err(error) => {
            visit(Found { path, parent: &opened.directory, name: b"", stat: Err(error) })?;
            ControlFlow::Continue(None)
        }
    }
}

/// Shows what is in one directory, and notes the directories of it.
fn read(
    opened: &Opened,
    path: &Inside,
    here: &Directory,
    pending: &mut Pending,
    visit: &mut dyn FnMut(Found<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let names = match here.names() {
        Ok(names) => names,
        Err(error) => {
            return visit(Found { path, parent: here, name: b"", stat: Err(error) });
        }
    };
    for name in names {
        let name = match name {
            Ok(name) => name,
            Err(error) => {
                return visit(Found { path, parent: here, name: b"", stat: Err(error) });
            }
        };
        let inside = match path.join(&name) {
            Ok(inside) => inside,
            Err(error) => {
                let stat = Err(io::Error::new(io::ErrorKind::InvalidInput, error));
                visit(Found { path, parent: here, name: b"", stat })?;
                continue;
            }
        };
        let stat = match here.stat(&name) {
            // One that has vanished meanwhile is not there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            stat => stat,
        };
        let is_directory = stat.as_ref().is_ok_and(|stat| stat.kind == FileKind::Directory);
        if is_directory && opened.others.contains(&inside) {
            continue;
        }
        visit(Found { path: &inside, parent: here, name: &name, stat })?;
        if is_directory && !pending.push(path, &name) {
            let stat = Err(io::Error::other(
                "too many directories stand beside each other; name it, or what is in it, by itself",
            ));
            visit(Found { path: &inside, parent: here, name: &name, stat })?;
        }
    }
    ControlFlow::Continue(())
}
