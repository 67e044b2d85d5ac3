// Many cells on one canvas, for mouse, keyboard and screen reader: the hosts of the map, the tasks of an array.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import { useSize } from './size';

export interface ICellMarks {
  focused: number;
  hovered: number;
}

interface ICanvasCells<L> {
  class: string;
  label: string;
  /** What the keys do. */
  help: string;
  count: number;
  /** Where the cells are, in the room that there is (CSS pixels; 0: not known yet). */
  layout: (width: number, height: number) => L;
  /** The cell at a point, or -1. */
  at: (layout: L, x: number, y: number) => number;
  /** Where a key leads from a cell; undefined if it does not move. */
  move: (layout: L, cell: number, key: string) => number | undefined;
  paint: (canvas: HTMLCanvasElement, layout: L, style: CSSStyleDeclaration, marks: ICellMarks) => void;
  words: (cell: number) => string;
  open: (cell: number) => void;
  /** Scroll so that a cell is seen. */
  reveal?: (node: HTMLElement, layout: L, cell: number) => void;
  /** What stands below it: about the cell that is pointed at, or else has the focus; -1: none. */
  below: (cell: number) => ComponentChildren;
}

/**
 * A slider: the role of one thing with a value that the arrow keys change. The value is the cell in focus, its text says
 * what the cell is. (A grid would need an element a cell.)
 */
export function CanvasCells<L>(props: ICanvasCells<L>) {
  const { count, words, open } = props;
  const node = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, height] = useSize(node);
  const [cell, setCell] = useState(0);
  const [hovered, setHovered] = useState(-1);
  const [focused, setFocused] = useState(false);
  const layout = props.layout(width, height);
  const at = Math.max(0, Math.min(cell, count - 1));

  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      if (canvas.current !== null && node.current !== null) {
        props.paint(canvas.current, layout, getComputedStyle(node.current), { focused: focused ? at : -1, hovered });
      }
    });
    return () => { cancelAnimationFrame(frame); };
  });

  const choose = (place: number) => {
    if (place >= 0 && place < count) {
      setCell(place);
      open(place);
    }
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    const to = props.move(layout, at, event.key);
    if (to !== undefined) {
      setCell(to);
      if (node.current !== null) {
        props.reveal?.(node.current, layout, to);
      }
    } else if (event.key === 'Enter' || event.key === ' ') {
      choose(at);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const placeOf = (event: MouseEvent) => {
    const { left, top } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return props.at(layout, event.clientX - left, event.clientY - top);
  };
  return (
    <>
      <div
        ref={node}
        class={props.class}
        role="slider"
        tabIndex={0}
        aria-label={props.label}
        aria-description={props.help}
        aria-valuemin={1}
        aria-valuemax={Math.max(1, count)}
        aria-valuenow={at + 1}
        aria-valuetext={count === 0 ? '' : words(at)}
        data-lm-suppress-shortcuts="true"
        onKeyDown={onKey}
        onFocus={() => { setFocused(true); }}
        onBlur={() => { setFocused(false); }}
      >
        <canvas
          ref={canvas}
          aria-hidden="true"
          onPointerMove={event => { setHovered(placeOf(event)); }}
          onPointerLeave={() => { setHovered(-1); }}
          onClick={event => { choose(placeOf(event)); }}
        />
      </div>
      {props.below(hovered >= 0 && hovered < count ? hovered : focused && count > 0 ? at : -1)}
    </>
  );
}
