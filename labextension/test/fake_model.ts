import type { IPress } from '../src/card/card_state';
import type { IModel } from '../src/card/widget';

/** The kernel's model as anywidget hands it out, with one state trait and the last press. */
export class FakeModel<S extends object> {
  sent: unknown[] = [];
  private readonly values: Record<string, unknown>;
  private readonly listeners = new Map<string, Set<(...values: unknown[]) => void>>();

  constructor(
    private readonly name: string,
    private state: S,
    others: Record<string, unknown> = {}
  ) {
    this.values = { press: {}, ...others, [name]: state };
  }

  typed(): IModel {
    return this as unknown as IModel;
  }

  get(name: string): unknown {
    return this.values[name];
  }

  on(event: string, callback: (...values: unknown[]) => void) {
    this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(callback));
  }

  off(event: string, callback: (...values: unknown[]) => void) {
    this.listeners.get(event)?.delete(callback);
  }

  send(content: unknown) {
    this.sent.push(content);
  }

  tell(different: Partial<S>) {
    this.state = { ...this.state, ...different };
    this.set(this.name, this.state);
  }

  answer(press: IPress) {
    this.set('press', press);
  }

  set(name: string, value: unknown) {
    this.values[name] = value;
    this.emit(`change:${name}`);
  }

  emit(event: string, value?: unknown) {
    this.listeners.get(event)?.forEach(callback => { callback(value); });
  }

  listening(): number {
    return [...this.listeners.values()].reduce((sum, set) => sum + set.size, 0);
  }
}

export function buttonOf(el: HTMLElement, label: string): HTMLButtonElement {
  const found = [...el.querySelectorAll('button')].find(node => node.textContent === label);
  if (found === undefined) {
    throw new Error(`there is no button ${label}`);
  }
  return found;
}

export function visibleButtons(el: HTMLElement): string[] {
  const bar = el.querySelectorAll<HTMLButtonElement>('.gcs-head button');
  return [...bar].filter(node => !node.hidden).map(node => node.textContent);
}
