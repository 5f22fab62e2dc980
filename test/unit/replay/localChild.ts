/**
 * A process of its own for what a native fault could end, or what its environment decides (drivers, CUDA's folder). Gets a
 * job as JSON in its first argument and prints one line of JSON. Started by childRuns.ts.
 */
import { isObject } from '../../../src/base/json.ts';
import { openLocalBackend } from '../../../src/replay/local.ts';
import { choiceOf, generation, never, scored } from './tinyFolders.ts';
import type { ChildJob, ChildResult } from './childRuns.ts';

async function answer(job: ChildJob): Promise<ChildResult> {
  const backend = await openLocalBackend(choiceOf(job.folder, job.choice), { signal: never, tell: () => undefined });
  const { ids } = job;
  const memory: number[] = [];
  const whole = await scored(backend, ids, { watched: [1, 2, 3], top: 4 });
  const [first] = await backend.generate(
    generation(ids.slice(0, 20), { maximumTokens: job.tokens, temperature: 0 }),
    () => memory.push(process.memoryUsage().rss),
    never,
  );
  const samples = await backend.generate(
    generation(ids.slice(0, 20), { samples: 3, maximumTokens: 4 }),
    () => undefined,
    never,
  );
  // A fork of the scored text, from the cache that the samples left.
  const fork = [...ids.slice(0, 40), ...ids.slice(50)];
  const forked = await scored(backend, fork);
  await backend.dispose();
  return {
    facts: backend.facts,
    whole,
    forked: forked.logprob,
    greedy: first?.ids ?? [],
    samples: samples.map((sample) => sample.ids),
    memory,
  };
}

const given: unknown = JSON.parse(process.argv[2] ?? '{}');
if (!isObject(given)) throw new Error('no job');
answer(given as unknown as ChildJob).then(
  (result) => process.stdout.write(`\n${JSON.stringify(result)}\n`, () => process.exit(0)),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  },
);
