import type { Backend } from '../backend';
import type { Cluster, Row, SortColumn, TableKind } from '../types';
import { cluster as freshCluster, shopTables, type Tables } from './data/shop';
import type { World } from './world';

type Part = Pick<Backend, 'connectCluster' | 'disconnectCluster' | 'watchNamespaces' | 'rows'>;

const KINDS: TableKind[] = ['services', 'workloads', 'pods'];

export class FakeClusters implements Part {
  /** How `connectCluster` comes out; scenarios put their own in its place. */
  onConnect: (context: string) => void = (context) =>
    this.world.later(50, () => this.open(context));

  constructor(readonly world: World) {
    world.clusters = this;
  }

  #tables = new Map<string, Tables>();

  /** Puts a cluster with its rows into the world, as if the user had picked it. */
  open(name: string, changes: Partial<Cluster> = {}, tables: Tables = shopTables()): void {
    this.#tables.set(name, tables);
    const made = freshCluster(name, changes);
    for (const table of made.tables) {
      table.total = table.state.state === 'forbidden' ? 0 : this.#watched(made, table.table).length;
    }
    this.put(made);
  }

  put(cluster: Cluster): void {
    const rest = this.world.app.clusters.filter((other) => other.context !== cluster.context);
    this.world.app.clusters = [...rest, cluster];
    this.world.emit({ kind: 'cluster', cluster });
  }

  /** Changes rows, as a watch would. */
  change(name: string, table: TableKind, edit: (rows: Row[]) => Row[]): void {
    const tables = this.#tables.get(name);
    const cluster = this.world.app.clusters.find((other) => other.context === name);
    const state = cluster?.tables.find((other) => other.table === table);
    if (!tables || !cluster || !state) return;
    tables[table] = edit(tables[table]);
    state.revision += 1;
    state.total = this.#watched(cluster, table).length;
    this.world.emit({ kind: 'cluster', cluster });
    this.world.emit({ kind: 'rows', context: name, table, revision: state.revision });
  }

  connectCluster: Backend['connectCluster'] = async (context) => {
    const phase = { phase: 'connecting' as const, plugin: null, said: '', since: Date.now() };
    this.put(
      freshCluster(context, { phase, version: null, namespaces: [], tables: [], heard: null }),
    );
    this.onConnect(context);
  };

  disconnectCluster: Backend['disconnectCluster'] = async (context) => {
    this.world.app.clusters = this.world.app.clusters.filter((other) => other.context !== context);
    this.world.emit({ kind: 'clusterClosed', context });
  };

  watchNamespaces: Backend['watchNamespaces'] = async (context, namespaces) => {
    const cluster = this.world.app.clusters.find((other) => other.context === context);
    if (!cluster) return;
    const tables = this.#tables.get(context) ?? shopTables();
    // Naming a namespace is the way out of a refusal for the whole cluster.
    const state = { state: 'live' as const };
    const changed = { ...cluster, watched: namespaces };
    changed.tables = KINDS.map((table) => ({
      table,
      revision: (cluster.tables.find((other) => other.table === table)?.revision ?? 0) + 1,
      total: tables[table].filter((row) => watches(changed, row)).length,
      state,
    }));
    this.put(changed);
  };

  rows: Backend['rows'] = async (query) => {
    const cluster = this.world.app.clusters.find((other) => other.context === query.context);
    if (!cluster) return { revision: 0, total: 0, matched: 0, offset: 0, rows: [] };
    const all = this.#watched(cluster, query.table);
    const matching = all.filter((row) => fits(row, query.filter));
    matching.sort((a, b) => order(a, b, query.sort) * (query.descending ? -1 : 1));
    const revision = cluster.tables.find((other) => other.table === query.table)?.revision ?? 0;
    return {
      revision,
      total: all.length,
      matched: matching.length,
      offset: query.offset,
      rows: structuredClone(matching.slice(query.offset, query.offset + query.limit)),
    };
  };

  #watched(cluster: Cluster, table: TableKind): Row[] {
    const rows = this.#tables.get(cluster.context)?.[table] ?? [];
    return rows.filter((row) => watches(cluster, row));
  }
}

function watches(cluster: Cluster, row: Row): boolean {
  return cluster.watched.length === 0 || cluster.watched.includes(row.namespace);
}

function fits(row: Row, filter: string): boolean {
  const text = [row.name, row.namespace, row.kind, row.status, ...row.ports]
    .join(' ')
    .toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function order(a: Row, b: Row, column: SortColumn): number {
  const named = a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name);
  switch (column) {
    case 'name':
      return a.name.localeCompare(b.name) || named;
    case 'namespace':
      return named;
    case 'kind':
      return a.kind.localeCompare(b.kind) || named;
    case 'status':
      return a.status.localeCompare(b.status) || named;
    case 'ready':
      return (a.ready ?? 0) - (b.ready ?? 0) || named;
    case 'restarts':
      return (a.restarts ?? 0) - (b.restarts ?? 0) || named;
    case 'age':
      return (b.created ?? 0) - (a.created ?? 0) || named;
  }
}
