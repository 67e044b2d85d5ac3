// Licences of what the bundles contain, in the form that JupyterLab's page of licences reads.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Packages of node_modules that went into a bundle.
 *
 * @param metafile - esbuild's
 * @param folder - where esbuild was run
 */
export function bundledPackages(metafile, folder) {
  const homes = new Set();
  for (const output of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      const home = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
      if (home !== undefined && bytesInOutput > 0) {
        homes.add(home);
      }
    }
  }
  return [...homes].sort().map(home => licenceOf(join(folder, home)));
}

function licenceOf(home) {
  const { name, version, license } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  const file = readdirSync(home).find(entry => /^licen[cs]e/i.test(entry));
  if (file === undefined) {
    throw new Error(`${name} ${version} has no file with its licence (${license}); it must not be in the archive without one.`);
  }
  return { name, versionInfo: version, licenseId: license, extractedText: readFileSync(join(home, file), 'utf8') };
}

/** Writes them to a file, beside those that stand there already. */
export function writeLicences(path, packages) {
  const before = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : [];
  const others = before.filter(one => !packages.some(ours => ours.name === one.name));
  const all = [...others, ...packages].sort((one, other) => one.name.localeCompare(other.name));
  writeFileSync(path, `${JSON.stringify({ packages: all }, null, 2)}\n`);
}
