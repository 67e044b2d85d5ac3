// Bundles each widget into one ES module and one style sheet, which anywidget sends to the browser. The charts are a
// module of their own, which the cockpit asks for when it first shows one.
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const here = path => fileURLToPath(new URL(path, import.meta.url));

await build({
  entryPoints: [
    ...['job_card', 'sweep_card', 'grid', 'cockpit', 'explorer'].flatMap(name => [
      { in: here(`src/${name}/index.ts`), out: name },
      { in: here(`style/${name}.css`), out: name }
    ]),
    { in: here('src/chart/index.ts'), out: 'chart' }
  ],
  outdir: here('../gcs_lab/widgets/static'),
  bundle: true,
  minify: true,
  charset: 'utf8',
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  logLevel: 'warning'
});
