import type { SortColumn, TableKind } from '$lib/backend/types';

export interface Column {
  id: 'name' | 'namespace' | 'kind' | 'status' | 'ready' | 'ports' | 'address' | 'restarts' | 'age';
  label: string;
  sort: SortColumn | null;
}

const NAME: Column = { id: 'name', label: 'Name', sort: 'name' };
const NAMESPACE: Column = { id: 'namespace', label: 'Namespace', sort: 'namespace' };
const KIND: Column = { id: 'kind', label: 'Kind', sort: 'kind' };
const PORTS: Column = { id: 'ports', label: 'Ports', sort: null };
const READY: Column = { id: 'ready', label: 'Ready', sort: 'ready' };
const AGE: Column = { id: 'age', label: 'Age', sort: 'age' };

/** The columns of a table; the namespace only where rows of several are shown. */
export function columnsOf(table: TableKind, namespaces: boolean): Column[] {
  const name = namespaces ? [NAME, NAMESPACE] : [NAME];
  switch (table) {
    case 'services':
      return [...name, KIND, PORTS, { id: 'address', label: 'Address', sort: null }, AGE];
    case 'workloads':
      return [...name, KIND, READY, PORTS, AGE];
    case 'pods':
      return [
        ...name,
        { id: 'status', label: 'Status', sort: 'status' },
        READY,
        { id: 'restarts', label: 'Restarts', sort: 'restarts' },
        { ...KIND, label: 'Owner' },
        AGE,
      ];
  }
}
