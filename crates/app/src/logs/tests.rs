#![allow(clippy::unwrap_used)]

use futures::future::BoxFuture;

use super::*;
use crate::publish::testing::Published;

struct NoClusters;

impl Clusters for NoClusters {
    fn cluster(&self, _: &str) -> BoxFuture<'static, Result<Cluster, Report>> {
        Box::pin(async { Err(failure(Code::Unreachable, "No cluster here.", None)) })
    }
}

fn logs() -> (Logs, Arc<Published>) {
    let published = Arc::new(Published::default());
    (Logs::new(published.clone(), Arc::new(NoClusters)), published)
}

fn query(search: &str) -> LogQuery {
    LogQuery {
        log: "a".into(),
        sources: Vec::new(),
        search: search.into(),
        only_matches: false,
        offset: None,
        limit: 3,
    }
}

fn add(writer: &LogWriter, source: LogSource, text: &str) {
    let mut lines = Lines::default();
    writer.add(source, &Arc::from("here"), |line| {
        lines.take(text.as_bytes(), &mut *line);
        lines.finish(line);
    });
}

fn texts(page: &LogPage) -> Vec<&str> {
    page.lines.iter().map(|line| line.text.as_str()).collect()
}

#[tokio::test]
async fn a_page_shows_what_is_asked_for() {
    let (logs, _) = logs();
    let writer = logs.create("a");
    add(&writer, LogSource::ProgramOut, "one\nTWO\nthree\nfour");
    add(&writer, LogSource::ProgramErr, "two bad\n");
    let page = logs.page(&query("")).unwrap();
    assert_eq!(texts(&page), ["three", "four", "two bad"]);
    assert_eq!((page.shown, page.offset, page.matches, page.next), (5, 2, 0, 5));
    let page = logs.page(&query("two")).unwrap();
    assert_eq!((page.shown, page.matches), (5, 2));
    let marked: Vec<bool> = page.lines.iter().map(|line| line.matches).collect();
    assert_eq!(marked, [false, false, true]);
    let page =
        logs.page(&LogQuery { only_matches: true, offset: Some(0), ..query("two") }).unwrap();
    assert_eq!(texts(&page), ["TWO", "two bad"]);
    assert_eq!(page.lines[1].number, 4);
    let sources = vec![LogSource::ProgramErr];
    let page = logs.page(&LogQuery { sources, ..query("") }).unwrap();
    assert_eq!((texts(&page), page.shown), (vec!["two bad"], 1));
    let page = logs.page(&LogQuery { offset: Some(99), ..query("") }).unwrap();
    assert_eq!((page.offset, page.lines.len()), (5, 0));
    assert!(logs.page(&query("[(.*")).unwrap().lines.iter().all(|line| !line.matches));
    assert_eq!(logs.page(&LogQuery { log: "b".into(), ..query("") }).unwrap_err().code, "input");
}

#[tokio::test(start_paused = true)]
async fn news_are_told_at_most_every_50_ms() {
    let (logs, published) = logs();
    let writer = logs.create("a");
    for _ in 0..1_000 {
        add(&writer, LogSource::Pod, "line\n");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(PAUSE * 2).await;
    let told = published.take();
    assert!((15..=22).contains(&told.len()), "{} times in a second", told.len());
    assert_eq!(told.last(), Some(&Change::Log { log: "a".into(), next: 1_000 }));
}

/// 50,000 lines, while more come: a page of a search must not take long, and none may be lost.
#[tokio::test]
async fn pages_of_a_full_log_follow_what_comes_and_goes() {
    let (logs, _) = logs();
    let writer = logs.create("a");
    let batch: String =
        (0..1_000).map(|n| format!("GET /orders/{n} 200 in 3 ms, id 7f3a-{n}\n")).collect();
    for _ in 0..60 {
        add(&writer, LogSource::ProgramOut, &batch);
    }
    let search = LogQuery { only_matches: true, ..query("ORDERS/99 ") };
    let page = logs.page(&search).unwrap();
    assert_eq!((page.shown, page.dropped, page.next), (50, 10_000, 60_000));
    for round in 0..20 {
        add(&writer, LogSource::ProgramOut, &batch);
        let page = logs.page(&search).unwrap();
        assert_eq!((page.shown, page.next), (50, 61_000 + round * 1_000));
    }
}

#[tokio::test]
async fn an_export_has_what_is_shown() {
    let (logs, _) = logs();
    let writer = logs.create("a");
    add(&writer, LogSource::ProgramOut, "one\ntwo\n");
    writer.say("Begun");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("orders.log");
    logs.export(&LogQuery { only_matches: true, ..query("o") }, &path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].ends_with("Z [out here] one"), "{}", lines[0]);
    logs.export(&query(""), &path).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().ends_with("[towline] Begun\n"));
    let error = logs.export(&query(""), directory.path()).unwrap_err();
    assert_eq!(error.code, "input");
}

#[tokio::test]
async fn without_a_cluster_there_is_no_pod_log() {
    let (logs, _) = logs();
    let query = PodLogQuery {
        context: "x".into(),
        namespace: "shop".into(),
        target: "pod/a".into(),
        container: None,
    };
    assert_eq!(logs.open_pod_log(query).await.unwrap_err().code, "unreachable");
    logs.close_pod_log("pods-1");
}
