//! Which volume, and what in it, a path on the command line means.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use towline_core::report::Code;
use towline_core::volumes::{Bytes, Volume};

use crate::failure::Failure;

/// A place in a volume.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The volume's mount path.
    pub(super) mount: String,
    /// What in it; empty: all.
    pub(super) path: Vec<u8>,
}

/// Takes the container's own path, or that of the copy here.
pub(super) fn place(volumes: &[Volume], path: &OsStr) -> Result<Place, Failure> {
    let within = |top: &[u8]| -> Option<Vec<u8>> {
        let rest = path.as_bytes().strip_prefix(top)?;
        let inside = rest.is_empty() || rest.starts_with(b"/") || top.ends_with(b"/");
        let names: Vec<&[u8]> =
            rest.split(|b| *b == b'/').filter(|name| !name.is_empty()).collect();
        inside.then(|| names.join(&b'/'))
    };
    let found = volumes.iter().filter_map(|volume| {
        let local = volume.local.as_ref().and_then(|local| within(local.as_os_str().as_bytes()));
        let inner = local.or_else(|| within(volume.planned.mount_path.as_bytes()))?;
        Some((
            volume.planned.mount_path.len(),
            Place { mount: volume.planned.mount_path.clone(), path: inner },
        ))
    });
    // One volume may be mounted in another.
    let innermost = found.max_by_key(|(length, _)| *length);
    innermost.map(|(_, place)| place).ok_or_else(|| {
        let there: Vec<&str> =
            volumes.iter().map(|volume| volume.planned.mount_path.as_str()).collect();
        let message = format!("{} is in no volume of the container", shown(path.as_bytes()));
        let hint = match there.as_slice() {
            [] => "the container has no volumes".to_owned(),
            there => format!("its volumes are {}", there.join(", ")),
        };
        Failure::new(Code::Input, message).with_hint(hint)
    })
}

/// The paths by their volumes; of a volume that is meant as a whole, none.
pub(super) fn by_volume(
    volumes: &[Volume],
    paths: &[OsString],
) -> Result<Vec<(String, Vec<Bytes>)>, Failure> {
    let mut by_volume: Vec<(String, Vec<Vec<u8>>)> = Vec::new();
    for path in paths {
        let Place { mount, path } = place(volumes, path)?;
        match by_volume.iter_mut().find(|(there, _)| *there == mount) {
            Some((_, paths)) => paths.push(path),
            None => by_volume.push((mount, vec![path])),
        }
    }
    let whole = |paths: Vec<Vec<u8>>| match paths.iter().any(Vec::is_empty) {
        true => Vec::new(),
        false => paths.into_iter().map(Bytes::from).collect(),
    };
    Ok(by_volume.into_iter().map(|(mount, paths)| (mount, whole(paths))).collect())
}

/// A name as a terminal can show it.
pub(super) fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars()
        .flat_map(|c| match c.is_control() {
            true => c.escape_default().collect::<Vec<_>>(),
            false => vec![c],
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use towline_core::volumes::{Handling, PlannedVolume, VolumeKind};

    use super::*;

    fn volume(mount_path: &str) -> Volume {
        let planned = PlannedVolume {
            name: "v".into(),
            mount_path: mount_path.into(),
            kind: VolumeKind::EmptyDir,
            source: None,
            read_only: false,
            sub_path: None,
            handling: Handling::OnDemand,
        };
        let local = Some(format!("/run/x/root{mount_path}").into());
        Volume { local, ..Volume::new(planned) }
    }

    #[test]
    fn the_innermost_volume_is_meant() {
        let volumes = [volume("/data"), volume("/data/inner")];
        let find = |path: &str| {
            place(&volumes, OsStr::new(path))
                .map(|place| (place.mount, String::from_utf8(place.path).unwrap()))
        };
        let expect = |mount: &str, path: &str| (mount.to_owned(), path.to_owned());
        assert_eq!(find("/data").unwrap(), expect("/data", ""));
        assert_eq!(find("/data/").unwrap(), expect("/data", ""));
        assert_eq!(find("/data/a//b/").unwrap(), expect("/data", "a/b"));
        assert_eq!(find("/data/inner/x").unwrap(), expect("/data/inner", "x"));
        assert_eq!(find("/run/x/root/data/a").unwrap(), expect("/data", "a"));
        assert!(find("/database").is_err() && find("data").is_err());
    }

    #[test]
    fn a_volume_as_a_whole_swallows_its_paths() {
        let volumes = [volume("/data"), volume("/logs")];
        let paths: Vec<OsString> = ["/data/a", "/logs/b", "/data"].map(OsString::from).to_vec();
        let expected =
            vec![("/data".to_owned(), vec![]), ("/logs".to_owned(), vec![Bytes::Text("b".into())])];
        assert_eq!(by_volume(&volumes, &paths).unwrap(), expected);
    }

    #[test]
    fn names_do_not_move_the_cursor() {
        assert_eq!(shown(b"a\x1b[2J\n\xff"), "a\\u{1b}[2J\\n\u{fffd}");
    }
}
