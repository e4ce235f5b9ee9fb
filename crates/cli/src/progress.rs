//! What is being done at the moment, on standard error: a spinner with the time on a terminal, else a line for each step.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::arguments::Format;
use crate::output;

/// The steps of something that takes a while.
pub(crate) struct Progress {
    mode: Mode,
    current: Option<Step>,
}

struct Step {
    text: String,
    since: Instant,
}

enum Mode {
    /// A program reads the result; people are not addressed.
    Silent,
    Lines,
    Spinner(ProgressBar),
}

impl Progress {
    /// Silent for [`Format::Json`].
    pub(crate) fn new(format: Format) -> Self {
        let mode = match format {
            Format::Json => Mode::Silent,
            Format::Text if console::user_attended_stderr() => Mode::Spinner(spinner()),
            Format::Text => Mode::Lines,
        };
        Self { mode, current: None }
    }

    /// The step before is done, this one begins. The same text again goes on with the step.
    pub(crate) fn step(&mut self, text: &str) {
        if self.current.as_ref().is_some_and(|step| step.text == text) {
            return;
        }
        self.done();
        match &self.mode {
            Mode::Silent => {}
            Mode::Lines => output::complain(&format!("{text} …")),
            Mode::Spinner(bar) => {
                // In this order: to reset it draws it.
                bar.set_message(text.to_owned());
                bar.reset();
                bar.enable_steady_tick(Duration::from_millis(100));
            }
        }
        self.current = Some(Step { text: text.to_owned(), since: Instant::now() });
    }

    /// How far the current step is; only where it can be shown in place.
    pub(crate) fn detail(&self, detail: &str) {
        if let (Mode::Spinner(bar), Some(step)) = (&self.mode, &self.current) {
            bar.set_message(format!("{}: {detail}", step.text));
        }
    }

    /// The current step is done.
    pub(crate) fn done(&mut self) {
        self.finish(&console::style("✓").for_stderr().green().to_string());
    }

    /// The current step did not succeed; the error itself is told by somebody else.
    pub(crate) fn failed(&mut self) {
        self.finish(&console::style("✗").for_stderr().red().to_string());
    }

    fn finish(&mut self, mark: &str) {
        let Some(step) = self.current.take() else { return };
        let Mode::Spinner(bar) = &self.mode else { return };
        bar.disable_steady_tick();
        let time = console::style(seconds(step.since.elapsed())).for_stderr().dim();
        bar.println(format!("  {mark} {}  {time}", step.text));
        bar.finish_and_clear();
    }

    /// Says something in between.
    pub(crate) fn note(&self, line: &str) {
        match &self.mode {
            Mode::Silent => {}
            Mode::Lines => output::complain(line),
            Mode::Spinner(bar) if self.current.is_some() => bar.println(line),
            Mode::Spinner(_) => output::complain(line),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.failed();
    }
}

fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("  {spinner:.cyan} {msg}  {elapsed:.dim}")
        .expect("the template is a constant that the tests use")
        .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ");
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
}

/// A time as people read it: `0.4 s`, `75 s`.
pub(crate) fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(10) {
        return format!("{:.1} s", time.as_secs_f64());
    }
    format!("{} s", time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_the_template() {
        assert_eq!(seconds(Duration::from_millis(449)), "0.4 s");
        assert_eq!(seconds(Duration::from_secs(75)), "75 s");
        drop(spinner());
    }
}
