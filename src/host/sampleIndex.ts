/**
 * The index of the sample runs, which is shipped with them: shards fit whatever machine built them, so the runs are there
 * at once. Added to the index of this machine before the runs are opened; what is missing or too old is built by the engine
 * as for any log. Leaves out building it (scripts/package.mjs) and what a shard is (store/shardStore.ts).
 */
import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';

const copiedAtOnce = 32;
/** Of a shard's two files the one that must come last: whoever sees it takes the shard for complete. */
const lastOfPair = '.rollouts.parquet';
/** The engine removes what begins like this when it is old. */
const temporaryStart = '.writing-';

/** Copies the shards that `index` (the engine's) lacks from `shipped`; a clone has none to copy. */
export async function addSampleIndex(shipped: string, index: string): Promise<void> {
  const present = new Set(await readdir(index).catch(() => []));
  const missing = (await readdir(shipped).catch(() => [])).filter((name) => !present.has(name));
  if (missing.length === 0) return;
  await mkdir(index, { recursive: true });
  for (const comesLast of [false, true]) {
    const names = missing.filter((name) => name.endsWith(lastOfPair) === comesLast);
    for (let first = 0; first < names.length; first += copiedAtOnce) {
      await Promise.all(
        names.slice(first, first + copiedAtOnce).map((name) => place(path.join(shipped, name), path.join(index, name))),
      );
    }
  }
}

async function place(from: string, to: string): Promise<void> {
  const temporary = path.join(path.dirname(to), `${temporaryStart}${randomUUID()}`);
  try {
    await copyFile(from, temporary);
    await rename(temporary, to);
  } finally {
    await rm(temporary, { force: true });
  }
}
