// Bundles each widget into one ES module and one style sheet, which anywidget sends to the browser.
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const here = path => fileURLToPath(new URL(path, import.meta.url));

await build({
  entryPoints: ['job_card', 'sweep_card'].flatMap(name => [
    { in: here(`src/${name}/index.ts`), out: name },
    { in: here(`style/${name}.css`), out: name }
  ]),
  outdir: here('../gcs_lab/widgets/static'),
  bundle: true,
  minify: true,
  charset: 'utf8',
  format: 'esm',
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'warning'
});
