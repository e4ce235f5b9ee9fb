//! Follows a session and tells the window.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::task::AbortOnDropHandle;
use towline_core::environment::write_env_file;
use towline_core::event::{Event, What};

use super::attention;
use super::entry::Entry;
use crate::publish::Publish;
use crate::report::explained;
use crate::view::{Change, Notice, ProgramState, SessionPhase, Tone};

/// The session is told at most this often.
const PAUSE: Duration = Duration::from_millis(50);

/// A loss is worth a notice after this time; shorter ones show in the window only.
const LONG_LOSS: Duration = Duration::from_secs(15);

/// Runs until the session is dismissed. `pods` fills the session's log with those of the pods.
pub(super) async fn follow(
    entry: Arc<Entry>,
    publish: Arc<dyn Publish>,
    pods: Option<AbortOnDropHandle<()>>,
) {
    let program = entry.program.as_ref().map(|program| program.state());
    let mut follower = Follower {
        entry: entry.clone(),
        publish,
        pods,
        program,
        told: None,
        dirty: false,
        next: Instant::now(),
    };
    let mut events = std::pin::pin!(entry.core.events(1));
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut over = false;
    loop {
        tokio::select! {
            () = entry.dismissed.cancelled() => return,
            event = events.next(), if !over => match event {
                Some(event) => follower.take(&event),
                None => over = true,
            },
            state = changed(follower.program.as_mut()) => follower.program(state),
            () = entry.changed.notified() => follower.dirty = true,
            _ = second.tick(), if !over => follower.second(),
            () = sleep_until(follower.next), if follower.dirty => follower.put(),
        }
    }
}

/// The next state of the program; never, if there is none.
async fn changed(program: Option<&mut watch::Receiver<ProgramState>>) -> ProgramState {
    if let Some(state) = program
        && state.changed().await.is_ok()
    {
        return state.borrow_and_update().clone();
    }
    std::future::pending().await
}

struct Follower {
    entry: Arc<Entry>,
    publish: Arc<dyn Publish>,
    pods: Option<AbortOnDropHandle<()>>,
    program: Option<watch::Receiver<ProgramState>>,
    /// Since when the loss lasts that the user was told of.
    told: Option<i64>,
    /// Whether something has changed that the window was not told of.
    dirty: bool,
    /// When the window may be told again.
    next: Instant,
}

impl Follower {
    fn take(&mut self, event: &Event) {
        self.dirty = true;
        let (first, connected, stopping) = {
            let mut course = self.entry.course();
            let before = course.connected;
            course.take(event);
            (!before && course.connected, course.connected, course.is_stopping())
        };
        if let Some((tone, title, message)) =
            attention::notice(&event.what, &self.entry.fixed.workload, connected)
        {
            self.notice(tone, title, message);
        }
        if matches!(event.what, What::Connected { .. }) {
            self.write_env_file();
        }
        // Only the first time: a program runs on through a lapse, and one that has ended was seen to by the user.
        if first
            && !stopping
            && self.entry.program.is_some()
            && let Err(report) = self.entry.start_program()
        {
            tracing::warn!(report.message, "the program is not started");
        }
        if matches!(event.what, What::Ended { .. }) {
            self.entry.course().sample(&self.entry.core.snapshot());
            self.pods = None;
            self.entry.let_helper_go();
            self.entry.copies.end();
        }
    }

    /// Where the project file wants it, before the program is started.
    fn write_env_file(&self) {
        let (Some(file), Some(environment)) =
            (&self.entry.fixed.env_file, self.entry.core.environment())
        else {
            return;
        };
        if let Err(error) = write_env_file(file, &environment) {
            self.notice(Tone::Warning, "Environment not written", explained(&error).message);
        }
    }

    fn program(&mut self, state: ProgramState) {
        self.dirty = true;
        let now = Timestamp::now().as_millisecond();
        let (tone, title, detail) = match &state {
            ProgramState::Running { pid, .. } => {
                (Tone::Neutral, "Program started", format!("process {pid}"))
            }
            ProgramState::Ending { .. } => (Tone::Neutral, "Program told to end", String::new()),
            ProgramState::Exited { how, well, .. } => {
                let tone = if *well { Tone::Neutral } else { Tone::Bad };
                (tone, "Program ended", how.clone())
            }
            ProgramState::Failed { report } => {
                (Tone::Bad, "Program not started", report.message.clone())
            }
            ProgramState::ByUser | ProgramState::Waiting => return,
        };
        self.entry.course().tell(now, tone, title, detail);
        if let Some(message) = attention::program_attention(&state) {
            self.notice(Tone::Bad, title, message);
        }
    }

    fn second(&mut self) {
        let snapshot = self.entry.core.snapshot();
        let (figures, (phase, since)) = {
            let mut course = self.entry.course();
            (course.sample(&snapshot), course.phase(&snapshot))
        };
        self.dirty |= figures;
        let SessionPhase::Reconnecting { reason } = phase else { return };
        let lasts = Timestamp::now().as_millisecond() - since;
        if lasts > LONG_LOSS.as_millis() as i64 && self.told != Some(since) {
            self.told = Some(since);
            let message = format!(
                "The cluster cannot be reached: {reason}. The program is left alone, and the session comes back by itself."
            );
            self.notice(Tone::Warning, "Connection lost", message);
        }
    }

    fn put(&mut self) {
        self.dirty = false;
        self.next = Instant::now() + PAUSE;
        self.publish.put(Change::Session { session: Box::new(self.entry.view()) });
    }

    fn notice(&self, tone: Tone, title: &str, message: String) {
        let (title, session) = (title.to_owned(), Some(self.entry.id.clone()));
        self.publish.put(Change::Notice { notice: Notice { tone, title, message, session } });
    }
}
