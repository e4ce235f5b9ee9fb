import type { SortColumn, TableKind } from '$lib/backend/types';

/** What the user looks at in one cluster; kept while the window is open. */
export class View {
  table = $state<TableKind>('services');
  filter = $state('');
  sort = $state<SortColumn>('name');
  descending = $state(false);
  /** The key of the row that keys act on. */
  active = $state<string | null>(null);

  show(table: TableKind): void {
    if (table === this.table) return;
    this.table = table;
    this.sort = 'name';
    this.descending = false;
    this.active = null;
  }

  /** By this column; the other way round if it is by it already. */
  sortBy(column: SortColumn): void {
    this.descending = this.sort === column && !this.descending;
    this.sort = column;
  }
}

// Which views there are is no state: a view is made when it is first looked at.
// eslint-disable-next-line svelte/prefer-svelte-reactivity
const views = new Map<string, View>();

export function viewOf(context: string): View {
  let view = views.get(context);
  if (!view) {
    view = new View();
    views.set(context, view);
  }
  return view;
}
