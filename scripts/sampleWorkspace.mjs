// The workspace that `npm start` and F5 open: a generated run, and the real tau-bench log where this machine has it.
//
// Written under out/start/workspace once and kept; the folder's name says that the run is generated.
// `node scripts/sampleWorkspace.mjs` writes it and prints where it is.
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeMetisRun } from '../test/generate/metisRun.mjs';

const repository = path.resolve(import.meta.dirname, '..');
const realLog = path.resolve(repository, '../shared/data/real/tau-bench/gpt-4o-airline.json');

/** Makes sure that the workspace is there and returns its path. */
export async function sampleWorkspace() {
  const workspace = path.join(repository, 'out', 'start', 'workspace');
  const run = path.join(workspace, 'generated-metis-run');
  if (!existsSync(run)) {
    const partial = path.join(repository, 'out', 'start', 'generated-metis-run.partial');
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    await mkdir(workspace, { recursive: true });
    await writeMetisRun({ directory: partial, steps: 30, promptsPerStep: 8, rolloutsPerPrompt: 8, seed: 7 });
    await rename(partial, run);
  }
  if (existsSync(realLog)) {
    const copy = path.join(workspace, 'tau-bench', path.basename(realLog));
    await mkdir(path.dirname(copy), { recursive: true });
    await cp(realLog, copy);
  } else {
    console.log('The real tau-bench log is not on this machine, so the workspace holds the generated run only.');
  }
  return workspace;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await sampleWorkspace());
