//! The log of one container, followed through restarts of the container and losses of the connection.

use std::sync::Arc;
use std::time::Duration;

use futures::AsyncReadExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerState, Pod};
use kube::api::{Api, LogParams};

use super::follow::Seen;
use super::lines::{Lines, RawLine};
use super::log::LogWriter;
use crate::view::LogSource;

/// Before the log of a container that runs is asked for again.
const AGAIN: Duration = Duration::from_secs(1);

/// Where to begin.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    /// So many lines back.
    Past(i64),
    /// At that time.
    From(Timestamp),
}

/// Where lines come from.
pub(super) struct Origin {
    pub(super) source: LogSource,
    pub(super) name: Arc<str>,
}

/// A container whose log is followed.
pub(super) struct Streamed {
    pub(super) api: Api<Pod>,
    pub(super) pod: String,
    pub(super) container: String,
    pub(super) seen: Seen,
    pub(super) start: Start,
    pub(super) origin: Origin,
    pub(super) log: LogWriter,
}

/// Follows until the pod is gone. The error is that it may not be read.
pub(super) async fn stream(mut streamed: Streamed) -> Result<(), String> {
    let mut place = Place::default();
    loop {
        if !started(&mut streamed).await {
            return Ok(());
        }
        let parameters = place.parameters(&streamed);
        match streamed.api.log_stream(&streamed.pod, &parameters).await {
            Ok(bytes) => read(bytes, &mut place, &streamed).await,
            Err(kube::Error::Api(status)) if status.code == 403 => {
                return Err(status.message.clone());
            }
            Err(error) => tracing::debug!(pod = streamed.pod, %error, "no log"),
        }
        // The status follows the end of a container after a moment; until then it would be asked for again and again.
        tokio::time::sleep(AGAIN).await;
        if !runs_again(&mut streamed, place.ended).await {
            return Ok(());
        }
    }
}

/// How far the log has been read.
#[derive(Default)]
struct Place {
    /// Whether it was told that the container is gone.
    gone: bool,
    /// The last line's time, and how many lines of that very time were read.
    last: Option<(Timestamp, u32)>,
    /// Of those, how many are still to be skipped, because they come once more.
    skip: u32,
    /// When the container had been started whose log was read last.
    ended: Option<Timestamp>,
}

impl Place {
    fn parameters(&mut self, streamed: &Streamed) -> LogParams {
        let (since_time, tail_lines) = match (self.last, streamed.start) {
            (Some((last, _)), _) => (Some(last), None),
            (None, Start::From(time)) => (Some(time), None),
            (None, Start::Past(lines)) => (None, Some(lines)),
        };
        self.skip = self.last.map_or(0, |(_, count)| count);
        self.ended = state(streamed).and_then(|state| started_at(&state));
        LogParams {
            container: Some(streamed.container.clone()),
            follow: true,
            timestamps: true,
            since_time,
            tail_lines,
            ..LogParams::default()
        }
    }

    /// Whether a line of that time is new. Asked for again is by whole seconds, so lines that were read come once more.
    fn is_new(&mut self, time: Timestamp) -> bool {
        match &mut self.last {
            Some((last, _)) if time < *last => false,
            Some((last, count)) if time == *last => {
                if self.skip > 0 {
                    self.skip -= 1;
                    return false;
                }
                *count += 1;
                true
            }
            _ => {
                (self.last, self.skip) = (Some((time, 1)), 0);
                true
            }
        }
    }
}

async fn read(bytes: impl futures::AsyncBufRead, place: &mut Place, streamed: &Streamed) {
    let mut bytes = std::pin::pin!(bytes);
    let (mut lines, mut buffer) = (Lines::default(), vec![0; 64 * 1024]);
    let mut add = |raw: RawLine<'_>| {
        let (time, raw) = parse(raw);
        if time.is_none() && is_of_the_kubelet(raw.bytes) {
            if !std::mem::replace(&mut place.gone, true) {
                let name = &streamed.origin.name;
                streamed.log.say(&format!("The log of {name} ends: the container is gone."));
            }
            return;
        }
        if time.is_none_or(|time| place.is_new(time)) {
            let time = time.unwrap_or_else(Timestamp::now).as_millisecond();
            streamed.log.add_one(time, streamed.origin.source, &streamed.origin.name, raw);
        }
    };
    loop {
        match bytes.read(&mut buffer).await {
            Ok(0) => break,
            Ok(count) => lines.take(&buffer[..count], &mut add),
            Err(error) => {
                tracing::debug!(pod = streamed.pod, %error, "the log broke off");
                break;
            }
        }
    }
    lines.finish(&mut add);
}

/// Whether the kubelet writes that it cannot read a log, in the place of its lines; they have no time of their own. Its words:
/// `pkg/kubelet/kuberuntime/logs/logs.go` and `pkg/kubelet/server/server.go` of Kubernetes.
fn is_of_the_kubelet(line: &[u8]) -> bool {
    const WORDS: [&[u8]; 4] = [
        b"rpc error: code = NotFound",
        b"rpc error: code = Unknown desc = Error: No such container",
        b"unable to retrieve container logs for ",
        b"failed to try resolving symlinks in path ",
    ];
    WORDS.iter().any(|words| line.starts_with(words))
}

/// Takes the time off the beginning of a line, where the kubelet puts it.
fn parse(raw: RawLine<'_>) -> (Option<Timestamp>, RawLine<'_>) {
    let space = raw.bytes.iter().take(40).position(|byte| *byte == b' ');
    let time = space.and_then(|at| {
        let text = std::str::from_utf8(&raw.bytes[..at]).ok()?;
        Some((at + 1, text.parse::<Timestamp>().ok()?))
    });
    let Some((begin, time)) = time else { return (None, raw) };
    let rest = RawLine { bytes: &raw.bytes[begin..], length: raw.length - begin as u64 };
    (Some(time), rest)
}

/// Waits until the container has been started; `false`: the pod is gone.
async fn started(streamed: &mut Streamed) -> bool {
    let container = streamed.container.clone();
    let ready = |pod: &Option<Arc<Pod>>| {
        let Some(pod) = pod else { return true };
        state_of(pod, &container).is_some_and(|state| started_at(&state).is_some())
    };
    streamed.seen.wait_for(ready).await.is_ok_and(|pod| pod.is_some())
}

/// Waits until the container runs, or has run once more since `before`; `false`: the pod is gone.
async fn runs_again(streamed: &mut Streamed, before: Option<Timestamp>) -> bool {
    let container = streamed.container.clone();
    let again = |pod: &Option<Arc<Pod>>| {
        let Some(pod) = pod else { return true };
        state_of(pod, &container)
            .is_some_and(|state| state.running.is_some() || started_at(&state) > before)
    };
    streamed.seen.wait_for(again).await.is_ok_and(|pod| pod.is_some())
}

fn state(streamed: &Streamed) -> Option<ContainerState> {
    state_of(streamed.seen.borrow().as_deref()?, &streamed.container)
}

fn state_of(pod: &Pod, container: &str) -> Option<ContainerState> {
    let status = pod.status.as_ref()?;
    let all = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    let found = all.into_iter().find(|status| status.name == container)?;
    found.state.clone()
}

/// When the container was started that runs, or has run last.
fn started_at(state: &ContainerState) -> Option<Timestamp> {
    let running = state.running.as_ref().and_then(|running| running.started_at.as_ref());
    let ended = state.terminated.as_ref().and_then(|ended| ended.started_at.as_ref());
    running.or(ended).map(|time| time.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_time_is_taken_off() {
        let bytes = b"2026-01-02T03:04:05.123456789Z  two spaces";
        let (at, rest) = parse(RawLine { bytes, length: 1_000 });
        assert_eq!(at, Some(time("2026-01-02T03:04:05.123456789Z")));
        assert_eq!((rest.bytes, rest.length), (&b" two spaces"[..], 969));
        let raw = RawLine { bytes: b"no time", length: 7 };
        assert_eq!(parse(raw), (None, raw));
        assert!(is_of_the_kubelet(b"rpc error: code = NotFound desc = an error occurred"));
        assert!(!is_of_the_kubelet(b"the other side said: rpc error: code = NotFound"));
        let empty = RawLine { bytes: b"2026-01-02T03:04:05Z ", length: 21 };
        assert_eq!(parse(empty).1.bytes, b"");
    }

    #[test]
    fn lines_that_come_once_more_are_told_from_new_ones() {
        let mut place = Place::default();
        let (a, b) = (time("2026-01-01T00:00:00.1Z"), time("2026-01-01T00:00:00.2Z"));
        assert!(place.is_new(a) && place.is_new(b) && place.is_new(b));
        // Asked for again from the last line's time on, which the API takes in whole seconds.
        place.skip = place.last.unwrap().1;
        assert!(!place.is_new(a) && !place.is_new(b) && !place.is_new(b));
        assert!(place.is_new(b), "a third line of the same moment");
        assert!(place.is_new(time("2026-01-01T00:00:01Z")));
    }
}
