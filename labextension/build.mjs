// Bundles each widget into one ES module and one style sheet, which anywidget sends to the browser.
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const here = path => fileURLToPath(new URL(path, import.meta.url));

await build({
  entryPoints: [
    { in: here('src/job_card/index.ts'), out: 'job_card' },
    { in: here('style/job_card.css'), out: 'job_card' }
  ],
  outdir: here('../gcs_lab/widgets/static'),
  bundle: true,
  minify: true,
  charset: 'utf8',
  format: 'esm',
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'warning'
});
