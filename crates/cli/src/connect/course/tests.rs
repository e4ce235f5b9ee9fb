use nix::sys::signal::Signal::{SIGHUP, SIGINT, SIGKILL, SIGTERM};
use towline_core::report::Report;

use super::*;

fn play(kind: Kind, steps: &[(Input, &[Action])]) -> u8 {
    let mut course = Course::new(kind);
    for (input, expected) in steps {
        assert_eq!(course.on(input.clone()), *expected, "after {input:?} of {steps:?}");
    }
    course.status()
}

fn ended(end: End) -> Input {
    Input::SessionEnded(end)
}

#[test]
fn a_command_runs_to_its_end() {
    let status = play(
        Kind::Command,
        &[
            (Input::Connected, &[Action::Start]),
            (Input::ProgramEnded(3), &[Action::StopSession]),
            (ended(End::Stopped), &[Action::Finish]),
        ],
    );
    assert_eq!(status, 3);
}

#[test]
fn a_signal_goes_to_the_command_first() {
    for (signal, expected) in [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129)] {
        let status = play(
            Kind::Command,
            &[
                (Input::Connected, &[Action::Start]),
                (Input::Interrupt(signal), &[Action::Signal(signal), Action::BeginGrace]),
                (Input::ProgramEnded(expected), &[Action::StopSession]),
                (Input::GraceOver, &[]),
                (ended(End::Stopped), &[Action::Finish]),
            ],
        );
        assert_eq!(status, expected);
    }
}

#[test]
fn a_command_that_does_not_end_is_killed() {
    for second in [Input::GraceOver, Input::Interrupt(SIGINT)] {
        let status = play(
            Kind::Command,
            &[
                (Input::Connected, &[Action::Start]),
                (Input::Interrupt(SIGINT), &[Action::Signal(SIGINT), Action::BeginGrace]),
                (second, &[Action::Signal(SIGKILL)]),
                (Input::ProgramEnded(137), &[Action::StopSession]),
                (ended(End::Stopped), &[Action::Finish]),
            ],
        );
        assert_eq!(status, 137);
    }
}

#[test]
fn the_third_signal_leaves_the_rest_to_the_cluster() {
    play(
        Kind::Wait,
        &[
            (Input::Connected, &[]),
            (Input::Interrupt(SIGINT), &[Action::StopSession]),
            (Input::Interrupt(SIGINT), &[Action::SayHowToLeave]),
            (Input::Interrupt(SIGINT), &[Action::Abandon]),
        ],
    );
}

#[test]
fn waiting_ends_well_by_a_signal() {
    let steps = [
        (Input::Connected, &[][..]),
        (Input::Interrupt(SIGINT), &[Action::StopSession]),
        (ended(End::Stopped), &[Action::Finish]),
    ];
    assert_eq!(play(Kind::Wait, &steps), 0);
    assert_eq!(play(Kind::Wait, &steps[1..]), 130, "not yet connected");
}

#[test]
fn somebody_elses_workload_ends_the_command() {
    for end in [End::Overwritten, End::TakenOver, End::Deleted] {
        let end_first = play(
            Kind::Command,
            &[
                (Input::Connected, &[Action::Start]),
                (Input::Lost, &[Action::Signal(SIGTERM), Action::BeginGrace]),
                (ended(end.clone()), &[]),
                (Input::ProgramEnded(143), &[Action::Finish]),
            ],
        );
        let program_first = play(
            Kind::Command,
            &[
                (Input::Connected, &[Action::Start]),
                (Input::Lost, &[Action::Signal(SIGTERM), Action::BeginGrace]),
                (Input::ProgramEnded(0), &[]),
                (ended(end), &[Action::Finish]),
            ],
        );
        assert_eq!((end_first, program_first), (5, 5));
    }
}

#[test]
fn a_lapse_leaves_the_command_alone() {
    let status = play(
        Kind::Command,
        &[
            (Input::Connected, &[Action::Start]),
            (Input::Lapsed, &[Action::SayHowToReconnect]),
            (Input::Interrupt(SIGINT), &[Action::Signal(SIGINT), Action::BeginGrace]),
            (Input::ProgramEnded(0), &[Action::StopSession]),
            (ended(End::Lapsed), &[Action::Finish]),
        ],
    );
    assert_eq!(status, 0);
    let waiting = [
        (Input::Connected, &[][..]),
        (Input::Lapsed, &[Action::SayHowToReconnect]),
        (Input::Interrupt(SIGINT), &[Action::StopSession]),
        (ended(End::Lapsed), &[Action::Finish]),
    ];
    assert_eq!(play(Kind::Wait, &waiting), 5);
}

#[test]
fn connected_again_starts_nothing_again() {
    play(Kind::Command, &[(Input::Connected, &[Action::Start]), (Input::Connected, &[])]);
}

#[test]
fn what_cannot_be_started_or_connected_or_restored() {
    let failed = |code| {
        let error = Report { code, message: String::new(), hint: None, detail: None };
        ended(End::Failed { error })
    };
    let not_started = [
        (Input::Connected, &[Action::Start][..]),
        (Input::NotStarted(127), &[Action::StopSession]),
        (ended(End::Stopped), &[Action::Finish]),
    ];
    assert_eq!(play(Kind::Command, &not_started), 127);
    assert_eq!(play(Kind::Command, &[(failed(Code::AgentNotStarted), &[Action::Finish])]), 6);
    let not_restored = [
        (Input::Connected, &[Action::Start][..]),
        (Input::ProgramEnded(0), &[Action::StopSession]),
        (failed(Code::RestoreFailed), &[Action::Finish]),
    ];
    assert_eq!(play(Kind::Command, &not_restored), 7);
}
