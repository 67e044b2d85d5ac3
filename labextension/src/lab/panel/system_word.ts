// What runs a cluster, as people call it.

const WORDS: Readonly<Record<string, string>> = { gridengine: 'Grid Engine', embedded: 'embedded' };

/** @param backend - name of the entry point */
export function systemWord(backend: string): string {
  return WORDS[backend] ?? backend;
}

/**
 * What a system calls itself, shorter: "embedded 0.1.0", "Grid Engine 8.1.9".
 *
 * @param cluster - name of the cluster, which stands before it and is not said twice
 */
export function shortSystem(system: string, cluster: string): string {
  const words = system.replace(/^the embedded cluster of gcs_lab ([^+\s]*).*$/, 'embedded $1').trim();
  const name = cluster.toLowerCase();
  const low = words.toLowerCase();
  return low === name ? '' : low.startsWith(`${name} `) ? words.slice(name.length + 1) : words;
}
