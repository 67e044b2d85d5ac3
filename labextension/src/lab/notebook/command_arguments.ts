// Arguments of commands come as JSON from anywhere: menus, other extensions, a person's own shortcuts.
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

/** A text; '' if it is not there or something else. */
export function textOf(args: ReadonlyPartialJSONObject, name: string): string {
  const value = args[name];
  return typeof value === 'string' ? value : '';
}
