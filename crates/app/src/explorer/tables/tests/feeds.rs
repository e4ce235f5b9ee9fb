//! What lists and broken watches do to the tables.

use super::*;
use crate::view::TableState;

#[test]
fn a_new_list_takes_away_what_is_not_in_it() {
    let mut tables = Tables::default();
    let pods = feed(Resource::Pods);
    tables.take(&pods, News::Listing);
    tables.take(&pods, News::Listed(a_pod(pod("shop", "one", true))));
    tables.take(&pods, News::Listed(a_pod(pod("shop", "two", true))));
    // Rows of the first list show as they come.
    assert_eq!(rows(&tables, TableKind::Pods).len(), 2);
    tables.take(&pods, News::Complete);
    tables.take(&pods, News::Listing);
    tables.take(&pods, News::Listed(a_pod(pod("shop", "two", true))));
    assert_eq!(rows(&tables, TableKind::Pods).len(), 2);
    tables.take(&pods, News::Complete);
    assert_eq!(only(&tables, TableKind::Pods).name, "two");
    // The bare pod went from the workloads, too.
    assert_eq!(only(&tables, TableKind::Workloads).name, "two");
    tables.take(&pods, News::Deleted(a_pod(pod("shop", "two", true))));
    assert!(rows(&tables, TableKind::Pods).is_empty());
}

#[test]
fn the_end_of_a_namespaces_feed_leaves_the_others() {
    let mut tables = Tables::default();
    let of = |name: &str| Feed { resource: Resource::Pods, scope: Scope::Namespace(name.into()) };
    for name in ["shop", "bank"] {
        tables.take(&of(name), News::Listing);
        tables.take(&of(name), News::Listed(a_pod(pod(name, "one", true))));
        tables.take(&of(name), News::Complete);
    }
    tables.end(&of("bank"));
    assert_eq!(only(&tables, TableKind::Pods).namespace, "shop");
}

#[test]
fn a_table_is_as_the_worst_of_its_feeds() {
    let mut tables = Tables::default();
    let state = |tables: &Tables, table: TableKind| {
        tables.states().into_iter().find(|known| known.table == table).unwrap().state
    };
    assert_eq!(state(&tables, TableKind::Pods), TableState::Loading);
    for resource in Resource::ALL {
        tables.set(&feed(resource), FeedState::Live);
    }
    assert_eq!(state(&tables, TableKind::Workloads), TableState::Live);
    let report = crate::report::failure(towline_core::report::Code::Forbidden, "no", None);
    let sets = feed(Resource::Workloads(Kind::DaemonSet));
    tables.set(&sets, FeedState::Forbidden { report: report.clone() });
    assert_eq!(
        state(&tables, TableKind::Workloads),
        TableState::Forbidden { report: report.clone() }
    );
    assert_eq!(state(&tables, TableKind::Pods), TableState::Live);
    tables.stale(7, &report);
    tables.stale(9, &report);
    assert_eq!(
        state(&tables, TableKind::Pods),
        TableState::Stale { since: 7, report: report.clone() }
    );
    assert_eq!(state(&tables, TableKind::Services), TableState::Stale { since: 7, report });
}
