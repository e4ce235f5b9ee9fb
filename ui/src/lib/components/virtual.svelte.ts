import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualItem,
} from '@tanstack/virtual-core';

interface Options {
  count: () => number;
  /** A row's height in pixels; a guess where rows are measured. */
  rowHeight: () => number;
  scroller: () => HTMLElement | null;
  /** Pixels above the first row, which stay in sight. */
  before?: () => number;
  /** Rows beyond the visible ones, on each side. */
  overscan?: number;
}

/** The rows that are in sight, as reactive state; made in a component's initialisation. */
export class VirtualWindow {
  items = $state.raw<VirtualItem[]>([]);
  height = $state(0);

  readonly #options: Options;
  readonly #virtualizer: Virtualizer<HTMLElement, HTMLElement>;

  constructor(options: Options) {
    this.#options = options;
    this.#virtualizer = new Virtualizer(this.#settings());
    $effect(() => {
      const unmount = this.#virtualizer._didMount();
      return unmount;
    });
    $effect(() => {
      this.#virtualizer.setOptions(this.#settings());
      this.#virtualizer._willUpdate();
      this.#show();
    });
  }

  scrollTo(index: number, align: 'auto' | 'start' | 'center' | 'end' = 'auto'): void {
    this.#virtualizer.scrollToIndex(index, { align });
  }

  /** Forgets the measured heights, for example when lines begin to wrap. */
  forget(): void {
    this.#virtualizer.measure();
  }

  /** Attachment for a row whose height is not fixed; it must carry `data-index`. */
  readonly measured = (row: HTMLElement) => {
    this.#virtualizer.measureElement(row);
    return () => this.#virtualizer.measureElement(null);
  };

  #settings() {
    const { count, rowHeight, scroller, before, overscan = 8 } = this.#options;
    const height = rowHeight();
    const above = before?.() ?? 0;
    return {
      count: count(),
      getScrollElement: scroller,
      estimateSize: () => height,
      overscan,
      paddingStart: above,
      scrollPaddingStart: above,
      observeElementRect,
      observeElementOffset,
      scrollToFn: elementScroll,
      onChange: () => this.#show(),
      // Something to draw before the first measurement (and in tests without a layout).
      initialRect: { width: 800, height: 600 },
    };
  }

  #show(): void {
    this.items = this.#virtualizer.getVirtualItems();
    this.height = this.#virtualizer.getTotalSize();
  }
}
