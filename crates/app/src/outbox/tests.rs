#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::view::{Notice, TableKind, Tone};

fn app() -> App {
    App {
        version: "0.1.0".into(),
        platform: "linux".into(),
        user: "ada".into(),
        host: "lovelace".into(),
        contexts: Default::default(),
        clusters: Vec::new(),
        sessions: Vec::new(),
        profiles: Vec::new(),
        preferences: crate::view::Preferences {
            theme: Default::default(),
            mode: Default::default(),
            lease_seconds: 120,
            kubeconfig_files: Vec::new(),
            notifications: true,
            log_level: Default::default(),
            contexts: Vec::new(),
            file: String::new(),
            log_directory: String::new(),
            problem: None,
        },
        leftovers: Vec::new(),
        helper: Default::default(),
    }
}

fn rows(revision: u32) -> Change {
    Change::Rows { context: "a".into(), table: TableKind::Pods, revision }
}

fn notice(title: &str) -> Change {
    let notice =
        Notice { tone: Tone::Good, title: title.into(), message: String::new(), session: None };
    Change::Notice { notice }
}

#[tokio::test(start_paused = true)]
async fn the_first_frame_is_everything_and_the_next_is_what_changed_newest_state_only() {
    let outbox = Outbox::new();
    outbox.put(rows(1));
    let mut frames = outbox.subscribe(app);
    let first = frames.next().await.unwrap();
    assert_eq!(first.seq, 1);
    assert!(matches!(first.changes.as_slice(), [Change::Everything { .. }]), "{first:?}");
    let before = Instant::now();
    for revision in 2..1000 {
        outbox.put(rows(revision));
    }
    outbox.put(Change::SessionGone { id: "x".into() });
    let second = frames.next().await.unwrap();
    assert_eq!(second.seq, 2);
    assert_eq!(second.changes, [rows(999), Change::SessionGone { id: "x".into() }]);
    assert_eq!(before.elapsed(), PAUSE);
}

#[tokio::test(start_paused = true)]
async fn after_a_quiet_time_a_change_is_told_at_once_and_a_flood_every_50_ms() {
    let outbox = Outbox::new();
    let mut frames = outbox.subscribe(app);
    frames.next().await.unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    let quiet = Instant::now();
    outbox.put(rows(1));
    frames.next().await.unwrap();
    assert_eq!(quiet.elapsed(), Duration::ZERO);

    let flood = {
        let outbox = outbox.clone();
        tokio::spawn(async move {
            for revision in 0..1000 {
                outbox.put(rows(revision));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    };
    let begun = Instant::now();
    let mut frames_told = 0;
    while begun.elapsed() < Duration::from_secs(1) {
        frames.next().await.unwrap();
        frames_told += 1;
    }
    flood.await.unwrap();
    assert!((19..=21).contains(&frames_told), "{frames_told}");
}

#[tokio::test(start_paused = true)]
async fn a_new_subscription_ends_the_earlier_one_and_loses_no_notice() {
    let outbox = Outbox::new();
    let mut old = outbox.subscribe(app);
    old.next().await.unwrap();
    let waiting = tokio::spawn(async move { old.next().await });
    tokio::task::yield_now().await;
    let asked = Arc::new(AtomicU32::new(0));
    let mut new = {
        let asked = asked.clone();
        outbox.subscribe(move || {
            asked.fetch_add(1, Ordering::Relaxed);
            app()
        })
    };
    assert_eq!(waiting.await.unwrap(), None);
    outbox.put(notice("kept"));
    let first = new.next().await.unwrap();
    assert_eq!(first.seq, 1);
    assert_eq!(first.changes[1..], [notice("kept")]);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn notices_wait_in_order_and_are_bounded() {
    let outbox = Outbox::new();
    for number in 0..QUEUED + 5 {
        outbox.put(notice(&number.to_string()));
    }
    let first = outbox.subscribe(app).next().await.unwrap();
    assert_eq!(first.changes.len(), 1 + QUEUED);
    assert_eq!(first.changes[1], notice("5"));
    assert_eq!(first.changes[QUEUED], notice("104"));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_was_let_go_has_no_rows_any_more() {
    let outbox = Outbox::new();
    let mut frames = outbox.subscribe(app);
    frames.next().await.unwrap();
    outbox.put(rows(7));
    outbox.put(Change::ClusterClosed { context: "a".into() });
    let frame = frames.next().await.unwrap();
    assert_eq!(frame.changes, [Change::ClusterClosed { context: "a".into() }]);
}

#[test]
fn changes_are_counted() {
    let outbox = Outbox::new();
    let changed = outbox.changed();
    outbox.put(rows(1));
    assert!(changed.has_changed().unwrap());
}
