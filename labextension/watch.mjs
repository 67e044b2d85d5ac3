// Builds whenever a source has changed: reload the page to see it. Ctrl-C ends it.
import { spawnSync } from 'node:child_process';
import { watch } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = path => fileURLToPath(new URL(path, import.meta.url));

/** An editor writes several files at once. */
const SETTLED_MILLISECONDS = 200;

function build() {
  const { status } = spawnSync(process.execPath, [here('build.mjs')], { stdio: ['ignore', 'ignore', 'inherit'] });
  process.stdout.write(`${new Date().toLocaleTimeString()} ${status === 0 ? 'built' : 'NOT built: see above'}\n`);
}

let due;
for (const folder of ['src', 'style', 'schema']) {
  watch(here(folder), { recursive: true }, () => {
    clearTimeout(due);
    due = setTimeout(build, SETTLED_MILLISECONDS);
  });
}
build();
