// The workspace that `npm start` and F5 open: the sample runs, and the real tau-bench log where this machine has it.
//
// Written under out/start/workspace and kept until other runs are shipped; laid out as "Open the Sample Run" does it, by
// the same code. `node scripts/sampleWorkspace.mjs` writes it and prints where it is.
import { cp, mkdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const repository = path.resolve(import.meta.dirname, '..');
const realLog = path.resolve(repository, '../shared/data/real/tau-bench/gpt-4o-airline.json');

/** Makes sure that the workspace is there and returns its path. */
export async function sampleWorkspace() {
  const workspace = path.join(repository, 'out', 'start', 'workspace');
  await unpackSample(workspace);
  if (existsSync(realLog)) {
    const copy = path.join(workspace, 'tau-bench', path.basename(realLog));
    await mkdir(path.dirname(copy), { recursive: true });
    await cp(realLog, copy);
  } else {
    console.log('The real tau-bench log is not on this machine, so the workspace holds the sample only.');
  }
  return workspace;
}

/** The sample runs of this clone below `storage`; returns their folder. */
export async function unpackSample(storage) {
  const { sampleFolder } = await loadSampleRuns();
  return sampleFolder({ shipped: path.join(repository, 'media', 'sample'), storage });
}

/** The extension's own code is TypeScript; Node 20 does not read it as it is. */
async function loadSampleRuns() {
  const outfile = path.join(repository, 'out', 'start', 'sampleRuns.mjs');
  await build({
    entryPoints: [path.join(repository, 'src', 'host', 'sampleRuns.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['yauzl'],
    logLevel: 'warning',
  });
  return import(pathToFileURL(outfile).href);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await sampleWorkspace());
