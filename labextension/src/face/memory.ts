// What a person chose, kept by the browser.

export class Memory<T extends object> {
  private values: Partial<T> = {};

  constructor(private readonly name: string) {
    this.values = this.read();
  }

  get<K extends keyof T>(key: K): Partial<T>[K] {
    return this.values[key];
  }

  set(different: Partial<T>): void {
    // Another view of this page, or another page, may have set the other ones since.
    this.values = { ...this.values, ...this.read(), ...different };
    try {
      localStorage.setItem(this.name, JSON.stringify(this.values));
    } catch {
      // As below: it holds until the page is left.
    }
  }

  private read(): Partial<T> {
    try {
      const read: unknown = JSON.parse(localStorage.getItem(this.name) ?? '{}');
      return typeof read === 'object' && read !== null ? read : {};
    } catch {
      // A page without storage of its own (a sandbox), or a text that is none of ours: nothing is remembered.
      return {};
    }
  }
}

/** Who has which colour, the same in all that shows a cluster. */
export interface IColourMemory {
  owners: string[];
}

export function colourMemory(cluster: string): Memory<IColourMemory> {
  return new Memory(`gcs-lab:colours:${cluster}`);
}
