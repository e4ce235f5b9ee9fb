//! What is on the display, seen from outside of the application.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use towline_desktop_tests::desktop::Desktop;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt, ImageFormat, Window};
use x11rb::rust_connection::RustConnection;

/// The display is looked at so often.
const PAUSE: Duration = Duration::from_millis(4);

/// How long a program may take to paint.
const LIMIT: Duration = Duration::from_secs(60);

/// A window that has not painted has one colour or two. Text alone has more than this, because its edges are smoothed.
const COLOURS: usize = 8;

/// How many lines of pixels are looked at.
const LINES: u16 = 24;

/// A desktop's display.
pub(crate) struct Screen {
    connection: RustConnection,
    root: Window,
    clients: u32,
}

impl Screen {
    /// Connects to it.
    pub(crate) fn open(desktop: &Desktop) -> Result<Self> {
        let (connection, screen) = x11rb::connect(Some(desktop.display()))?;
        let root = connection.setup().roots.get(screen).context("a screen")?.root;
        let clients = connection.intern_atom(false, b"_NET_CLIENT_LIST")?.reply()?.atom;
        Ok(Self { connection, root, clients })
    }

    /// Waits until a window has painted something below `top` (pixels from its upper edge), and gives the time.
    pub(crate) async fn painted(&self, top: u16) -> Result<Instant> {
        let start = Instant::now();
        loop {
            // A window that goes while it is looked at is an error of X.
            if self.is_painted(top).unwrap_or(false) {
                return Ok(Instant::now());
            }
            if start.elapsed() > LIMIT {
                bail!("nothing is painted within {} s", LIMIT.as_secs());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits until no window is left.
    pub(crate) async fn empty(&self) -> Result<()> {
        let start = Instant::now();
        while !self.windows()?.is_empty() {
            if start.elapsed() > LIMIT {
                bail!("a window stays for {} s after its program was ended", LIMIT.as_secs());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// The windows that the window manager knows.
    fn windows(&self) -> Result<Vec<Window>> {
        let list = self
            .connection
            .get_property(false, self.root, self.clients, AtomEnum::WINDOW, 0, 64)?
            .reply()?;
        Ok(list.value32().map(Iterator::collect).unwrap_or_default())
    }

    fn is_painted(&self, top: u16) -> Result<bool> {
        for window in self.windows()? {
            let size = self.connection.get_geometry(window)?.reply()?;
            let step = (size.height.saturating_sub(top) / LINES).max(1);
            let lines = (top..size.height).step_by(usize::from(step));
            let asked: Vec<_> = lines
                .map(|y| {
                    let y = i16::try_from(y)?;
                    let (format, all) = (ImageFormat::Z_PIXMAP, u32::MAX);
                    Ok(self.connection.get_image(format, window, 0, y, size.width, 1, all)?)
                })
                .collect::<Result<_>>()?;
            let mut colours = HashSet::new();
            for image in asked {
                let pixels = image.reply()?.data;
                colours.extend(pixels.chunks_exact(4).map(<[u8]>::to_vec));
            }
            if colours.len() > COLOURS {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
