#![allow(clippy::unwrap_used)]

use towline_core::Protocol;
use towline_core::report::{Code, Report};

use super::*;

fn event(millisecond: i64, what: What) -> Event {
    Event { seq: 1, time: Timestamp::from_millisecond(millisecond).unwrap(), what }
}

fn step(millisecond: i64, step: Step) -> Event {
    event(millisecond, What::Step { step })
}

fn snapshot(phase: Phase) -> Snapshot {
    let workload = serde_json::json!({"kind": "deployment", "namespace": "shop", "name": "orders"});
    Snapshot {
        seq: 1,
        session: serde_json::from_value("0123456789ab".into()).unwrap(),
        workload: serde_json::from_value(workload).unwrap(),
        phase,
        since: Timestamp::UNIX_EPOCH,
        tunnels: Vec::new(),
        listeners: Vec::new(),
        inbound_open: 0,
        outbound_open: 0,
        connections: 0,
        bytes_in: 0,
        bytes_out: 0,
        env_file: None,
    }
}

fn course() -> Course {
    Course::new("deployment/orders".into())
}

#[test]
fn steps_have_their_times() {
    let mut course = course();
    for event in [
        step(1_000, Step::Lease),
        step(1_300, Step::Patch),
        event(2_000, What::Connected { pods: Vec::new(), env_file: "/x".into() }),
        step(9_000, Step::Restore),
    ] {
        course.take(&event);
    }
    let times: Vec<(&str, i64, Option<i64>)> =
        course.steps.iter().map(|step| (step.step.as_str(), step.began, step.took)).collect();
    assert_eq!(
        times,
        [("lease", 1_000, Some(300)), ("patch", 1_300, Some(700)), ("restore", 9_000, None)]
    );
    course.take(&step(20_000, Step::Lease));
    assert_eq!(course.steps.len(), 1, "a session that connects again begins anew");
    assert_eq!(course.event_count(), 5);
    let last = course.events(5, 10);
    assert_eq!((last.len(), last[0].seq), (1, 5));
    assert!(course.events(6, 10).is_empty());
}

#[test]
fn the_step_in_which_it_broke_off_is_told() {
    let error = Report {
        code: Code::AgentNotStarted,
        message: "The agent did not start.".into(),
        hint: None,
        detail: None,
    };
    let failed = What::Ended { end: End::Failed { error } };
    let failed_steps = |events: Vec<Event>, stopped: bool| {
        let mut course = course();
        if stopped {
            course.stop_wanted(Timestamp::UNIX_EPOCH);
        }
        events.iter().for_each(|event| course.take(event));
        let failed = course.steps.iter().filter(|step| step.failed);
        let failed: Vec<String> = failed.map(|step| step.step.clone()).collect();
        assert!(course.steps.iter().all(|step| step.took.is_some()));
        failed
    };
    let at_the_restorer = [step(1, Step::Lease), step(2, Step::Restorer)];
    let mut events = at_the_restorer.to_vec();
    events.push(event(9, failed.clone()));
    assert_eq!(failed_steps(events, false), ["restorer"]);

    let mut events = vec![step(1, Step::Lease), step(2, Step::Pods), step(5, Step::Restore)];
    events.extend([step(6, Step::Sweep), event(9, What::Ended { end: End::Stopped })]);
    assert_eq!(failed_steps(events.clone(), false), ["pods"], "put back before the end");
    assert!(failed_steps(events, true).is_empty(), "the user has broken it off");

    let connected = What::Connected { pods: Vec::new(), env_file: "/x".into() };
    let events =
        vec![step(1, Step::Lease), event(2, connected), step(3, Step::Restore), event(9, failed)];
    assert_eq!(failed_steps(events, false), ["restore"], "it was not put back");
}

#[test]
fn a_port_is_silent_until_it_answers() {
    let mut course = course();
    let silent = What::LocalPortSilent {
        remote: 80,
        protocol: Protocol::Tcp,
        local: 8080,
        reason: "refused".into(),
    };
    course.take(&event(1, silent.clone()));
    course.take(&event(2, silent));
    assert_eq!(course.silent.len(), 1);
    course.take(&event(
        3,
        What::LocalPortAnswers { remote: 80, protocol: Protocol::Tcp, local: 8080 },
    ));
    assert!(course.silent.is_empty());
}

#[test]
fn the_wish_to_stop_shows_before_the_core_acts_on_it() {
    let mut course = course();
    course.stop_wanted(Timestamp::from_millisecond(7).unwrap());
    let (phase, since) = course.phase(&snapshot(Phase::Connected));
    assert_eq!((phase, since), (SessionPhase::Stopping { step: "program".into() }, 7));
    let (phase, _) = course.phase(&snapshot(Phase::Stopping { step: Step::Rollback }));
    assert_eq!(phase, SessionPhase::Stopping { step: "rollback".into() });
}

#[test]
fn an_end_says_how_the_workload_is() {
    let mut course = course();
    course.take(&event(1, What::Restored { kept: vec!["spec.replicas".into()] }));
    course.take(&event(2, What::Ended { end: End::Stopped }));
    let (phase, _) = course.phase(&snapshot(Phase::Ended(End::Stopped)));
    let SessionPhase::Ended { tone, message, .. } = phase else { panic!("{phase:?}") };
    assert_eq!(tone, Tone::Warning);
    assert!(message.contains("spec.replicas"), "{message}");
    let error = Report {
        code: Code::AgentNotStarted,
        message: "The agent did not start.".into(),
        hint: None,
        detail: None,
    };
    let (phase, _) = course.phase(&snapshot(Phase::Ended(End::Failed { error })));
    let SessionPhase::Ended { tone, report, .. } = phase else { panic!("{phase:?}") };
    assert_eq!((tone, report.unwrap().code.as_str()), (Tone::Bad, "agent_not_started"));
}

#[test]
fn a_failure_says_what_it_means_for_the_workload() {
    let error = Report {
        code: Code::AgentNotStarted,
        message: "The agent did not start.".into(),
        hint: None,
        detail: None,
    };
    let end = End::Failed { error };
    let step = |step| What::Step { step };
    let restored = What::Restored { kept: Vec::new() };
    for (events, expected) in [
        (vec![step(Step::Lease), step(Step::Restorer)], "was not touched."),
        (vec![step(Step::Lease), step(Step::Patch)], "is not known to be what it was."),
        (vec![step(Step::Patch), step(Step::Restore), restored], "is what it was."),
    ] {
        let mut course = course();
        for (seq, what) in (1..).zip(events) {
            course.take(&event(seq, what));
        }
        course.take(&event(9, What::Ended { end: end.clone() }));
        let (phase, _) = course.phase(&snapshot(Phase::Ended(end.clone())));
        let SessionPhase::Ended { message, .. } = phase else { panic!("{phase:?}") };
        assert!(message.ends_with(expected), "{message}");
    }
}

#[test]
fn figures_change_only_with_traffic() {
    let mut course = course();
    let mut now = snapshot(Phase::Connected);
    assert!(course.sample(&now), "the first has its seconds");
    assert!(!course.sample(&now));
    now.bytes_in = 500;
    assert!(course.sample(&now));
    assert_eq!(course.figures.per_second.last(), Some(&500));
    assert!(course.sample(&now), "the peak moves on");
    assert_eq!(course.figures.bytes_in, 500);
}
