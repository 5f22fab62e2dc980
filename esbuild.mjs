// The bundles as a table: one row a bundle. `node esbuild.mjs [--watch] [--production] [--inputs FILE]`; FILE gets the paths
// of all that was bundled, a line each, for the notices of the VSIX (scripts/notices.mjs).
// Native packages stay external; everything else is bundled, so that the VSIX carries no node_modules but theirs.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { build, context } from 'esbuild';

const { watch, production, inputs } = parseArgs({
  options: { watch: { type: 'boolean' }, production: { type: 'boolean' }, inputs: { type: 'string' } },
}).values;

const node = { platform: 'node', target: 'node20' };
const browser = { platform: 'browser', target: 'es2022', format: 'iife' };

/** entry, output and what is particular about each bundle */
const bundles = [
  { entry: 'src/extension.ts', out: 'dist/extension.cjs', ...node, format: 'cjs', external: ['vscode'] },
  { entry: 'src/processes/engineMain.ts', out: 'dist/engineMain.cjs', ...node, format: 'cjs' },
  { entry: 'src/processes/readWorker.ts', out: 'dist/readWorker.cjs', ...node, format: 'cjs' },
  { entry: 'src/processes/replayMain.ts', out: 'dist/replayMain.cjs', ...node, format: 'cjs' },
  { entry: 'src/cli.ts', out: 'dist/cli.cjs', ...node, format: 'cjs', banner: { js: '#!/usr/bin/env node' } },
  { entry: 'webview/charts/main.ts', out: 'dist/charts.js', ...browser },
  { entry: 'webview/fieldMapping/main.ts', out: 'dist/fieldMapping.js', ...browser },
  { entry: 'webview/curate/main.ts', out: 'dist/curate.js', ...browser },
  { entry: 'webview/crops/main.ts', out: 'dist/crops.js', ...browser },
  { entry: 'webview/replay/main.ts', out: 'dist/replay.js', ...browser },
];

const installMetadata = 'onnxruntime-node/script/install-metadata.js';
const native = ['@duckdb/node-api', 'onnxruntime-node'];

const bundled = new Set();
for (const { entry, out, external = [], ...options } of bundles) {
  const settings = {
    entryPoints: [entry],
    outfile: out,
    bundle: true,
    minify: production === true,
    sourcemap: production ? false : 'linked',
    metafile: inputs !== undefined,
    legalComments: 'none',
    logLevel: 'warning',
    external: [...native, ...external],
    // Plain data out of a native package: bundled, since its package is there only where its process is.
    alias: { [installMetadata]: `./node_modules/${installMetadata}` },
    // A CommonJS bundle has no import.meta; what asks for its own place gets the bundle's.
    define: options.format === 'cjs' ? { 'import.meta.filename': '__filename' } : {},
    ...options,
  };
  if (watch) await (await context(settings)).watch();
  else for (const file of Object.keys((await build(settings)).metafile?.inputs ?? {})) bundled.add(file);
}
if (inputs !== undefined) await writeFile(inputs, [...bundled].sort().join('\n'));
