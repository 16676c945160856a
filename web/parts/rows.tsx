import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import {
  observeWindowOffset,
  observeWindowRect,
  Virtualizer,
  windowScroll,
  type VirtualItem,
} from "@tanstack/virtual-core";
import type { RefObject } from "preact";

export interface Rows {
  readonly list: RefObject<HTMLDivElement | null>;
  /** Those on the screen and a little around it. */
  readonly visible: readonly VirtualItem[];
  readonly height: number;
  /** Distance of the list from the top of the page. */
  readonly top: number;
  show(row: number): void;
}

/** Rows of a long list that scrolls with the page: only those in view exist. */
export function useRows(count: number, rowHeight: (row: number) => number, sizes: string): Rows {
  const list = useRef<HTMLDivElement>(null);
  const [, redraw] = useState(0);
  const top = useRef(0);
  const [virtualizer] = useState(
    () =>
      new Virtualizer<Window, HTMLElement>({
        count: 0,
        getScrollElement: () => window,
        estimateSize: () => 1,
        observeElementRect: observeWindowRect,
        observeElementOffset: observeWindowOffset,
        scrollToFn: windowScroll,
      }),
  );
  virtualizer.setOptions({
    ...virtualizer.options,
    count,
    estimateSize: rowHeight,
    overscan: 3,
    scrollMargin: top.current,
    // What covers the list's ends: the bar above, the views below on phones.
    scrollPaddingStart: 80,
    scrollPaddingEnd: 72,
    onChange: () => redraw((n) => n + 1),
  });
  useEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, sizes]);
  useLayoutEffect(() => {
    const now = (list.current?.getBoundingClientRect().top ?? 0) + scrollY;
    if (Math.abs(now - top.current) < 1) return;
    top.current = now;
    redraw((n) => n + 1);
  });
  return {
    list,
    visible: virtualizer.getVirtualItems(),
    height: virtualizer.getTotalSize(),
    top: top.current,
    show: (row) => virtualizer.scrollToIndex(row, { align: "auto" }),
  };
}
