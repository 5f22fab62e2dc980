/** The bundles of the engine, its worker and the command line, built once a test file: processes run plain JavaScript. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');

/** Paths of the bundles; valid in tests, not before. */
export interface Bundles {
  cli: string;
  engine: string;
  worker: string;
  replayer: string;
}

/** Builds the bundles before the tests of a file and removes them afterwards. */
export function builtBundles(): Bundles {
  const bundles: Bundles = { cli: '', engine: '', worker: '', replayer: '' };
  let folder = '';
  beforeAll(async () => {
    // Inside the repository, so that the native package is found where npm put it.
    await mkdir(join(root, 'out'), { recursive: true });
    folder = await mkdtemp(join(root, 'out', 'test-'));
    await build({
      entryPoints: [
        'src/cli.ts',
        'src/processes/engineMain.ts',
        'src/processes/readWorker.ts',
        'src/processes/replayMain.ts',
      ],
      absWorkingDir: root,
      outdir: folder,
      entryNames: '[name]',
      outExtension: { '.js': '.cjs' },
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      external: ['@duckdb/node-api', 'onnxruntime-node'],
      define: { 'import.meta.filename': '__filename' },
      logLevel: 'error',
    });
    bundles.cli = join(folder, 'cli.cjs');
    bundles.engine = join(folder, 'engineMain.cjs');
    bundles.worker = join(folder, 'readWorker.cjs');
    bundles.replayer = join(folder, 'replayMain.cjs');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return bundles;
}
