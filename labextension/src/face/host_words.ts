// What a page says of its host: the kernel of a notebook, or the Jupyter server itself.

export interface IHostWords {
  /** Nobody answers. Without a capital, for the middle of a sentence. */
  gone: string;
  /** What makes the page live again, with what that is for: "to go on". */
  again: (aim: string) => string;
  /** Whose machine it is on. */
  owner: string;
  /** What to do where page and host are of different versions. */
  renew: string;
}

export const KERNEL: IHostWords = {
  gone: 'the kernel is gone',
  again: aim => `Run the cell again ${aim}.`,
  owner: "the kernel's",
  renew: 'Reload the page, and restart the kernel.'
};

export const SERVER: IHostWords = {
  gone: 'the line to the Jupyter server is lost',
  again: () => 'It is tried again by itself.',
  owner: "the Jupyter server's",
  renew: 'Restart the Jupyter server, and reload the page.'
};

/** As the beginning of a sentence. */
export function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
