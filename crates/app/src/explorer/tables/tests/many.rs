//! Filter, sort, page and counts, with many objects.

use std::time::Instant;

use serde_json::{Value, json};

use super::*;

fn many(tables: &mut Tables, pods: usize, services: usize) {
    for number in 0..services {
        let spec = json!({"selector": {"app": format!("app-{number}")}, "ports": [{"port": 80}]});
        put(tables, Resource::Services, service(&format!("service-{number}"), spec));
    }
    for number in 0..pods {
        put(tables, Resource::Pods, a_pod(numbered(number, services, true)));
    }
}

fn numbered(number: usize, services: usize, ready: bool) -> Value {
    let labels = json!({"app": format!("app-{}", number % services)});
    with(pod("shop", &format!("pod-{number:05}"), ready), "/metadata/labels", labels)
}

#[test]
fn filter_sort_and_page() {
    let mut tables = Tables::default();
    many(&mut tables, 30, 3);
    put(
        &mut tables,
        Resource::Pods,
        a_pod(with(pod("Bänk", "straße", false), "/status/phase", json!("Pending"))),
    );
    let page = |query: RowsQuery| tables.page(&query, &|_| false);
    let pods = query(TableKind::Pods);

    let found =
        page(RowsQuery { filter: "POD-0001 8080".into(), offset: 5, limit: 3, ..pods.clone() });
    let names: Vec<&str> = found.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!((found.total, found.matched, found.offset), (31, 10, 5));
    assert_eq!(names, ["pod-00015", "pod-00016", "pod-00017"]);
    assert_eq!(page(RowsQuery { filter: "bänk STRASSE".into(), ..pods.clone() }).matched, 0);
    assert_eq!(page(RowsQuery { filter: "BÄNK straß pending".into(), ..pods.clone() }).matched, 1);
    // A word does not match across two columns.
    assert_eq!(page(RowsQuery { filter: "shoppod".into(), ..pods.clone() }).matched, 0);

    let by = |sort, descending| {
        page(RowsQuery { sort, descending, limit: 1, ..pods.clone() }).rows[0].name.clone()
    };
    assert_eq!(by(SortColumn::Name, true), "straße");
    assert_eq!(by(SortColumn::Namespace, false), "straße");
    assert_eq!(by(SortColumn::Ready, false), "straße");
    assert_eq!(by(SortColumn::Status, true), "pod-00000");
    let beyond = page(RowsQuery { offset: 99, ..pods });
    assert_eq!((beyond.rows.len(), beyond.offset), (0, 31));
}

/// `cargo test --release -p towline-app five_thousand -- --ignored --nocapture` prints how long a page takes.
#[test]
#[ignore = "prints figures; those of a debug build say little"]
fn five_thousand_pods_and_a_page() {
    let mut tables = Tables::default();
    let begun = Instant::now();
    many(&mut tables, 5_000, 500);
    println!("5,000 pods and 500 services taken: {:?}", begun.elapsed());
    for table in [TableKind::Pods, TableKind::Services] {
        for (what, filter) in [("all", ""), ("filtered", "pod-00 http")] {
            let query = RowsQuery {
                filter: filter.into(),
                sort: SortColumn::Ready,
                limit: 60,
                ..query(table)
            };
            let begun = Instant::now();
            for _ in 0..20 {
                assert!(tables.page(&query, &|_| false).total > 0);
            }
            println!("a page of {table:?}, {what}: {:?}", begun.elapsed() / 20);
        }
    }
    let begun = Instant::now();
    for number in 0..200 {
        put(&mut tables, Resource::Pods, a_pod(numbered(number, 500, number % 2 == 0)));
    }
    println!("200 changes, each of them parsed: {:?}", begun.elapsed());
}

#[test]
fn counts_stay_right_through_many_changes() {
    let mut tables = Tables::default();
    many(&mut tables, 200, 10);
    for number in 0..200 {
        put(&mut tables, Resource::Pods, a_pod(numbered(number, 10, number % 3 == 0)));
    }
    for number in (0..200).step_by(7) {
        tables.take(&feed(Resource::Pods), News::Deleted(a_pod(numbered(number, 10, true))));
    }
    for (name, service) in &tables.services {
        assert_eq!(
            service.tally,
            tally::of(service, tally::pods_of(&tables.pods, &name.0)),
            "{name:?}"
        );
    }
    assert_eq!(tables.pods.len(), 200 - 29);
}
