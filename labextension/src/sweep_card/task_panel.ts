// What is below the strip when a cell of it is open: its tasks, and the output of one of them.
import { button, element, icon, setText } from '../card/dom';
import { formatCount, formatMemory, formatWall } from '../card/figures';
import { LogText, type ITextAnswer } from '../card/log_text';
import { Poll, type IVersioned } from '../card/poll';
import { lookOf } from '../card/state_look';
import type { ITask } from './sweep';

export type TaskRequest =
  | { kind: 'cell'; cell: number; have: string }
  | { kind: 'output'; task: number; have: string };

export interface ITasksAnswer extends IVersioned {
  kind: 'cell';
  cell: number;
  tasks?: ITask[];
}

export interface IOutputAnswer extends ITextAnswer {
  kind: 'output';
  task: number;
}

export type TaskAnswer = ITasksAnswer | IOutputAnswer;

const COLUMNS = ['task', 'state', 'parameters', 'host', 'wall', 'memory', 'error'] as const;

export class TaskPanel {
  readonly node = element('div', 'gcs-log gcs-tasks');
  private readonly title = element('strong', '');
  private readonly note = element('span', 'gcs-dim');
  private readonly heads = element('tr', '');
  private readonly rows = element('tbody', '');
  private readonly table: HTMLElement;
  private readonly detail = element('div', 'gcs-row gcs-detail');
  private readonly chosen: HTMLElement;
  private readonly error = element('div', 'gcs-note gcs-trouble');
  private readonly output: LogText;
  private readonly poll: Poll;
  private cell = -1;
  private size = 0;
  private version = '';
  private tasks: ITask[] = [];
  private task = 0;

  /**
   * @param ask - carries a question to the kernel
   * @param isOver - whether nothing of the sweep will change any more
   * @param closed - called when the panel was closed by its button
   */
  constructor(ask: (request: TaskRequest) => void, isOver: () => boolean, closed: () => void) {
    this.poll = new Poll(() => { ask({ kind: 'cell', cell: this.cell, have: this.version }); }, isOver);
    this.output = new LogText(have => { ask({ kind: 'output', task: this.task, have }); }, isOver);
    const close = button('Close', () => {
      this.close();
      closed();
    });
    close.setAttribute('aria-label', 'Close the tasks');
    const head = element('div', 'gcs-row', {}, this.title, this.note, element('span', 'gcs-space'), close);
    const table = element('table', '', {}, element('thead', '', {}, this.heads), this.rows);
    this.table = element('div', 'gcs-table', { tabindex: '0', role: 'region', 'aria-label': 'tasks' }, table);
    this.chosen = element('div', 'gcs-row gcs-chosen', {}, this.detail, this.output.note, this.output.following);
    this.node.append(head, this.table, this.chosen, this.error, this.output.text);
    this.close();
  }

  /** Show the tasks of a cell. `name` says which they are, `size` how many. */
  open(cell: number, name: string, size: number): void {
    this.cell = cell;
    this.size = size;
    this.version = '';
    this.tasks = [];
    this.node.hidden = false;
    setText(this.title, name);
    setText(this.note, 'loading…');
    this.choose(0);
    this.poll.now();
  }

  close(): void {
    this.node.hidden = true;
    this.cell = -1;
    this.stop();
  }

  /** Ask now if the panel is open. */
  refresh(): void {
    if (this.node.hidden) {
      return;
    }
    this.poll.now();
    if (this.task > 0) {
      this.output.request();
    }
  }

  receive(answer: TaskAnswer): void {
    if (this.node.hidden) {
      return;
    }
    if (answer.kind === 'output') {
      if (answer.task === this.task) {
        this.output.receive(answer);
      }
      return;
    }
    if (answer.cell !== this.cell) {
      return;
    }
    if (answer.error !== undefined) {
      setText(this.note, answer.error);
    } else if (answer.tasks !== undefined) {
      this.version = answer.version ?? '';
      this.tasks = answer.tasks;
      const { length } = this.tasks;
      setText(this.note, length < this.size ? `${formatCount(length)} of ${formatCount(this.size)} shown, failed first` : '');
      const first = this.tasks[0]?.task ?? 0;
      if (this.tasks.some(row => row.task === this.task)) {
        this.draw();
      } else {
        this.choose(first);
      }
    }
    this.poll.answered();
  }

  stop(): void {
    this.poll.stop();
    this.output.stop();
  }

  private choose(task: number): void {
    this.task = task;
    this.output.stop();
    this.draw();
    if (task > 0) {
      this.output.begin(`end of the output of task ${task}`, 'no output so far');
      this.output.request();
    }
  }

  private draw(): void {
    const chosen = this.tasks.find(row => row.task === this.task);
    const focused = this.rows.contains(document.activeElement);
    this.table.hidden = this.tasks.length < 2;
    const lines = this.tasks.map(row => this.cells(row));
    // A column without a word in it only takes room.
    const shown = COLUMNS.filter((_, place) => lines.some(line => line[place] !== ''));
    const pick = (line: (Node | string)[]) => COLUMNS.flatMap((name, place) => shown.includes(name) ? [tableCell(name, line[place] ?? '')] : []);
    this.heads.replaceChildren(...shown.map(name => element('th', '', { scope: 'col' }, name)));
    this.rows.replaceChildren(...lines.map(line => element('tr', '', {}, ...pick(line))));
    if (focused) {
      this.rows.querySelector<HTMLButtonElement>('[aria-pressed=true]')?.focus();
    }
    this.chosen.hidden = chosen === undefined;
    this.output.text.hidden = chosen === undefined;
    this.detail.replaceChildren(...(chosen === undefined ? [] : details(chosen, this.tasks.length > 1)));
    setText(this.error, chosen?.error ?? '');
  }

  private cells(row: ITask): (Node | string)[] {
    const number = button(formatCount(row.task), () => { this.choose(row.task); });
    number.setAttribute('aria-label', `output of task ${row.task}`);
    number.setAttribute('aria-pressed', String(row.task === this.task));
    return [number, stateMark(row.state), row.parameters, row.host, ...figures(row), row.error];
  }
}

function tableCell(name: string, content: Node | string): HTMLElement {
  return element('td', `gcs-column-${name}`, typeof content === 'string' ? { title: content } : {}, content);
}

function stateMark(state: string): HTMLElement {
  const look = lookOf(state);
  const mark = element('span', 'gcs-state', {}, icon(look.icon), look.word);
  mark.dataset.state = state;
  return mark;
}

function figures(row: ITask): [string, string] {
  return [row.wall >= 0 ? formatWall(row.wall) : '', row.memory > 0 ? formatMemory(row.memory) : ''];
}

function details(row: ITask, named: boolean): HTMLElement[] {
  const [time, memory] = figures(row);
  const facts = [
    row.parameters,
    row.host,
    time && `${time} wall`,
    memory && `peak ${memory}`
  ].filter(fact => fact !== '');
  return [
    ...(named ? [element('strong', '', {}, `task ${formatCount(row.task)}`)] : []),
    stateMark(row.state),
    ...facts.map((fact, place) => element('span', place === 0 ? 'gcs-parameters' : 'gcs-fact', { title: fact }, fact))
  ];
}
