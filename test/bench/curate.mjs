// What a curation of a large run takes in the engine's own process: reading its facts once, a funnel of each stage when
// everything has to be worked out, and one when only a threshold moved. Memory is what the process had more than before.
import { fork } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { client } from './engine.mjs';
import { residentBytes } from './measure.mjs';

const standard = {
  off: [],
  onlyUnrecovered: false,
  toolFreeSamples: 8,
  toolFreeShare: 1e-9,
  toolFreeFrom: { kind: 'self' },
  judgeThreshold: 0.5,
  nearDuplicate: 0.9,
  leastRollouts: 8,
  keepEfficiencySignal: false,
  startStep: null,
  contextTokens: 1_000,
};

/** Times of one engine over one run. */
export async function curateBench({ root, directory, storage }) {
  await mkdir(storage, { recursive: true });
  const child = fork(join(root, 'dist', 'engineMain.cjs'), [JSON.stringify({ storage })], {
    serialization: 'advanced',
    execArgv: [],
  });
  try {
    const ask = client(child);
    const timed = async (method, params) => {
      const started = performance.now();
      const result = await ask(method, params);
      return { seconds: (performance.now() - started) / 1000, result };
    };
    const [opened] = await ask('open', { path: directory });
    let run = opened;
    while (run.state !== 'ready') {
      await new Promise((resolve) => setTimeout(resolve, 100));
      run = (await ask('runs', {})).find(({ id }) => id === opened.id);
    }
    const runs = [run.id];
    const before = residentBytes(child.pid) ?? 0;
    const prepare = await timed('prepareCuration', { runs });
    const after = residentBytes(child.pid) ?? 0;
    const sft = await timed('funnel', { runs, config: { ...standard, stage: 'sft' } });
    const moved = await timed('funnel', { runs, config: { ...standard, stage: 'sft', nearDuplicate: 0.8 } });
    const rl = await timed('funnel', { runs, config: { ...standard, stage: 'rl' } });
    return {
      rollouts: prepare.result.rollouts,
      readSeconds: prepare.seconds,
      sftSeconds: sft.seconds,
      movedSeconds: moved.seconds,
      rlSeconds: rl.seconds,
      kept: sft.result.kept,
      bytes: after - before,
    };
  } finally {
    child.kill();
  }
}
