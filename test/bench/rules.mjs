// What the redundancy rules cost while a run is indexed: the command line with them against one that flags nothing, as
// whole processes, in turns. Both are bundled here from the same sources; only analysis/redundancy/all.ts is replaced.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { runNode } from './measure.mjs';

/** Stands in for the rules: no call is flagged. */
const noRules = {
  name: 'no rules',
  setup({ onLoad }) {
    onLoad({ filter: /analysis[\\/]redundancy[\\/]all\.ts$/ }, () => ({
      loader: 'ts',
      contents: `export const rules = []; export const rulesVersion = 0; export const allRules = {};
        export const [flagRollout, flagFacts, flagCalls, measureCalls] = Array.from({ length: 4 }, () => () => []);`,
    }));
  },
};

async function bundled(root, folder, plugins) {
  await build({
    entryPoints: ['src/cli.ts', 'src/processes/readWorker.ts'],
    absWorkingDir: root,
    outdir: folder,
    entryNames: '[name]',
    outExtension: { '.js': '.cjs' },
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['@duckdb/node-api'],
    logLevel: 'error',
    plugins,
  });
  return join(folder, 'cli.cjs');
}

/** Indexes a folder `times` times with and without rules; the ratio of the best of each. */
export async function rulesBench({ root, directory, times = 3 }) {
  await mkdir(join(root, 'out'), { recursive: true });
  // Inside the repository, so that the native package is found where npm put it.
  const folder = await mkdtemp(join(root, 'out', 'bench-'));
  try {
    const withRules = await bundled(root, join(folder, 'with'), []);
    const without = await bundled(root, join(folder, 'without'), [noRules]);
    let [seconds, bareSeconds] = [Infinity, Infinity];
    const index = async (cli) => {
      const out = await mkdtemp(join(folder, 'index-'));
      const run = await runNode([cli, 'index', directory, '--out', out]);
      await rm(out, { recursive: true });
      return run.seconds;
    };
    for (let i = 0; i < times; i++) {
      bareSeconds = Math.min(bareSeconds, await index(without));
      seconds = Math.min(seconds, await index(withRules));
    }
    return { ratio: seconds / bareSeconds, seconds, bareSeconds };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
