// Bundles the front end twice: each widget into one ES module and one style sheet, which anywidget sends to the
// browser (the charts are a module of their own, which the cockpit asks for when it first shows one); and the JupyterLab
// extension into lib/, from which the builder of JupyterLab makes what the page loads. What JupyterLab ships stays out.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { bundledPackages, writeLicences } from './licences.mjs';

const here = path => fileURLToPath(new URL(path, import.meta.url));

const widgets = here('../gcs_lab/widgets/static');
const extension = here('../gcs_lab/labextension');
const { version } = JSON.parse(readFileSync(here('package.json'), 'utf8'));

const common = {
  absWorkingDir: here('.'),
  bundle: true,
  minify: true,
  charset: 'utf8',
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true
};

const forCells = await build({
  ...common,
  entryPoints: [
    ...['job_card', 'sweep_card', 'grid', 'cockpit', 'explorer'].flatMap(name => [
      { in: here(`src/${name}/index.ts`), out: name },
      { in: here(`style/${name}.css`), out: name }
    ]),
    { in: here('src/chart/index.ts'), out: 'chart' }
  ],
  outdir: widgets
});
rmSync(`${widgets}/third-party-licenses.json`, { force: true });
writeLicences(`${widgets}/third-party-licenses.json`, bundledPackages(forCells.metafile, here('.')));

rmSync(here('lib'), { recursive: true, force: true });
const forLab = await build({
  ...common,
  define: { GCS_LAB_VERSION: JSON.stringify(version) },
  entryPoints: [
    { in: here('src/lab/index.ts'), out: 'index' },
    // One sheet: what several of its parts import stands there once.
    { in: here('style/lab.css'), out: 'lab' }
  ],
  outdir: here('lib'),
  splitting: true,
  chunkNames: '[name]-[hash]',
  external: ['@jupyterlab/*', '@lumino/*', 'react', 'react-dom', 'yjs']
});
const builder = spawnSync(
  process.execPath,
  [
    here('node_modules/@jupyter/builder/lib/build-labextension.js'),
    '--core-package-file', here('node_modules/@jupyterlab/core-meta/core.package.json'),
    here('.')
  ],
  { encoding: 'utf8' }
);
if (builder.status !== 0) {
  // It speaks of every step; only what goes wrong is of interest.
  throw new Error(`the builder of JupyterLab ended with status ${builder.status}:\n${builder.stdout}${builder.stderr}`);
}
// The builder saw one package, ours.
writeLicences(`${extension}/static/third-party-licenses.json`, bundledPackages(forLab.metafile, here('.')));
// Who installed it, for `jupyter labextension list`. The last file: where it is, all others are (hatch_build.py).
copyFileSync(here('install.json'), `${extension}/install.json`);
