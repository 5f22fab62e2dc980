/** Files as Sources, the pool of read workers when they fail, and the child's end of the channel to its parent. */
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/base/errors.ts';
import { openFileSource, withFile } from '../../../src/engine/fileSource.ts';
import { imageSlice } from '../../../src/engine/imageSlice.ts';
import { processPort } from '../../../src/engine/processPort.ts';
import type { ReadPart } from '../../../src/engine/readParts.ts';
import { createReadPool, type ReadPool } from '../../../src/engine/workerPool.ts';
import type { Rollout } from '../../../src/model/rollout.ts';
import { dump, line, temporaryFolder, write } from './logs.ts';

describe('a file as a Source', () => {
  it('reads at positions, into a target, and shorter only at the end', async () => {
    const path = await write(join(await temporaryFolder(), 'x'), 'abcdefgh');
    await withFile(path, async (source) => {
      expect(source).toMatchObject({ name: 'x', sizeBytes: 8 });
      expect(Buffer.from(await source.read(2, 3)).toString()).toBe('cde');
      const target = new Uint8Array(16);
      const bytes = await source.read(6, 10, target);
      expect(bytes.buffer).toBe(target.buffer);
      expect(Buffer.from(bytes).toString()).toBe('gh');
      expect(await source.read(99, 5)).toHaveLength(0);
    });
  });

  it('closes its descriptor also where the reading fails', async () => {
    const path = await write(join(await temporaryFolder(), 'x'), 'x');
    let close: (() => Promise<void>) | null = null;
    await expect(
      withFile(path, (source) => {
        close = source.close;
        return Promise.reject(new Error('no'));
      }),
    ).rejects.toThrow('no');
    expect(close).not.toBeNull();
  });

  it('says what is wrong and what to do', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, '1.jsonl'));
    await symlink('loop', join(folder, 'loop'));
    for (const [name, message] of [
      ['missing', /does not exist/],
      ['1.jsonl', /is a folder/],
      ['loop', /symbolic link that leads to itself/],
    ] as const) {
      const error: unknown = await openFileSource(join(folder, name)).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(UserError);
      expect(error).toHaveProperty('message', expect.stringMatching(message));
      expect(error).toHaveProperty('message', expect.stringContaining(join(folder, name)));
      expect(error).toHaveProperty('action', expect.stringMatching(/\.$/));
    }
    await expect(openFileSource('/dev/null')).rejects.toThrow('not a regular file');
  });
});

const recognition = { format: 'verl', producer: 'Metis / verl-tool', variant: 'metis' };

function readAll(pool: ReadPool, path: string, signal = new AbortController().signal) {
  const parts: ReadPart[] = [];
  const request = { path, copyOf: null, recognition, from: null, partBytes: 10_000 };
  const handlers = { signal, urgent: false, part: (part: ReadPart) => parts.push(part), progress: () => undefined };
  return pool.read(request, handlers).then((end) => ({ end, parts }));
}

/** A worker that does as the name of the file says. */
const stubWorker = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', ({ kind, request }) => {
  if (kind === 'cancel') return parentPort.postMessage({ kind: 'failed', error: 'abort', message: 'cancelled', action: null });
  if (request.path.includes('throw')) throw new Error('a bug in a reader');
  if (request.path.includes('exit')) process.exit(3);
  if (request.path.includes('hang')) return;
  if (request.path.includes('memory')) { const all = []; for (;;) all.push(new Array(1e6).fill({})); }
  parentPort.postMessage({ kind: 'done', end: { unfinished: null } });
});`;

describe('the read pool', () => {
  it.each(['throw', 'exit', 'memory'])(
    'survives a worker that dies (%s), and names the file',
    async (how) => {
      const workerPath = await write(join(await temporaryFolder(), 'worker.cjs'), stubWorker);
      const pool = createReadPool({ workerPath, size: 1 });
      const [bad, good] = await Promise.allSettled([readAll(pool, `/x/${how}.jsonl`), readAll(pool, '/x/fine.jsonl')]);
      expect(bad).toMatchObject({ status: 'rejected', reason: expect.any(UserError) as UserError });
      expect(bad).toHaveProperty('reason.message', expect.stringContaining(`/x/${how}.jsonl`));
      expect(good.status).toBe('fulfilled');
      await pool.dispose();
    },
    60_000,
  );

  it('settles what waits and what runs when it is cancelled or closed', async () => {
    const workerPath = await write(join(await temporaryFolder(), 'worker.cjs'), stubWorker);
    const pool = createReadPool({ workerPath, size: 1 });
    const controller = new AbortController();
    const cancelled = readAll(pool, '/x/hang.jsonl', controller.signal);
    controller.abort();
    await expect(cancelled).rejects.toHaveProperty('name', 'AbortError');
    const running = readAll(pool, '/x/hang.jsonl');
    const waiting = readAll(pool, '/x/fine.jsonl');
    const settled = Promise.allSettled([running, waiting]);
    await pool.dispose();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(readAll(pool, '/x/fine.jsonl')).rejects.toThrow('closed');
  });

  it('keeps the sums of invariant 1 over the parts of a file', async () => {
    const pool = createReadPool({ workerPath: null, size: 1 });
    const lines = [line(), '', '{"bad', line({ prompt: 2 }), '[]', line({ prompt: 3 }), line({ prompt: 4 })];
    const text = `${lines.join('\n')}\n${line({ prompt: 5 }).slice(0, 50)}`;
    const path = await write(join(await temporaryFolder(), '1.jsonl'), text);
    const { end, parts } = await readAll(pool, path);
    expect(end.unfinished).toMatchObject({ code: 'partial-last-line', line: 7 });
    const sum = (value: (part: ReadPart) => number): number => parts.reduce((total, part) => total + value(part), 0);
    expect(sum(({ read }) => read)).toBe(4);
    expect(sum(({ noted }) => noted)).toBe(2);
    expect(sum(({ skipped }) => skipped)).toBe(1);
    expect(sum((part) => part.lines)).toBe(7);
    expect(parts.map(({ columns }) => columns.rollouts.count)).toEqual(parts.map(({ read }) => read));
    for (const [i, part] of parts.entries()) {
      expect(part.range.first).toBe(i === 0 ? 0 : parts[i - 1]?.next.bytes.first);
    }
    await pool.dispose();
  });

  it('notes at most 1,000 lines of a file and counts all', async () => {
    const pool = createReadPool({ workerPath: null, size: 1 });
    const path = await write(join(await temporaryFolder(), '1.jsonl'), dump({}) + '{"bad\n'.repeat(3_000));
    const { parts } = await readAll(pool, path);
    expect(parts.flatMap(({ notes }) => notes)).toHaveLength(1_000);
    expect(parts.reduce((sum, { noted }) => sum + noted, 0)).toBe(3_000);
    await pool.dispose();
  });
});

describe("the child's end of the channel", () => {
  it('keeps the order, hands over a few messages at a time, and loses none', async () => {
    const sent: unknown[] = [];
    const confirm: (() => void)[] = [];
    const channel = {
      connected: true,
      send: (message: unknown, _handle: undefined, _options: undefined, done: (error: Error | null) => void) => {
        sent.push(message);
        confirm.push(() => {
          done(null);
        });
        return true;
      },
      on: () => channel,
    };
    const port = processPort(channel);
    for (let i = 0; i < 50; i += 1) port.send(i);
    expect(sent.length).toBeLessThan(50);
    while (confirm.length > 0) confirm.shift()?.();
    expect(sent).toEqual(Array.from({ length: 50 }, (_, i) => i));
    channel.connected = false;
    expect(() => {
      port.send('late');
    }).toThrow('ended');
    await Promise.resolve();
  });

  it('holds what arrives before anyone listens', async () => {
    const listeners: ((message: unknown) => void)[] = [];
    const port = processPort({
      connected: true,
      send: () => true,
      on: (event: string, listener: (message: unknown) => void) => {
        if (event === 'message') listeners.push(listener);
      },
    });
    for (const listener of listeners) listener('early');
    const heard: unknown[] = [];
    port.onMessage((message) => heard.push(message));
    for (const listener of listeners) listener('second');
    await new Promise((resolve) => setImmediate(resolve));
    for (const listener of listeners) listener('third');
    expect(heard).toEqual(['early', 'second', 'third']);
  });
});

describe('a picture in slices', () => {
  const image = (bytes: Buffer | null): Rollout =>
    ({
      images: [
        {
          origin: 'prompt',
          state: bytes === null ? 'absent' : 'inline',
          mime: 'image/png',
          base64: bytes === null ? null : bytes.toString('base64'),
          pads: null,
        },
      ],
    }) as unknown as Rollout;

  it.each([0, 1, 2, 3, 900_000, 900_001, 1_799_999, 2_000_000])('gives the bytes from %i on', (first) => {
    const bytes = Buffer.from(Uint8Array.from({ length: 2_000_000 }, (_, i) => (i * 7) % 251));
    const slice = imageSlice(image(bytes), 0, first);
    expect(slice.sizeBytes).toBe(2_000_000);
    expect(Buffer.compare(slice.bytes, bytes.subarray(first, first + 900_000))).toBe(0);
  });

  it('says why there is none', () => {
    expect(() => imageSlice(image(null), 0, 0)).toThrow('not in the log');
    expect(() => imageSlice(image(null), 3, 0)).toThrow('no picture 4');
  });
});
