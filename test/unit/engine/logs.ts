/** Logs that the engine's and the command line's tests write: Metis dumps, made by the generator, in temporary folders. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import { metisLine, metisRecord, seededRandom, type CallKind, type Question } from '../../generate/metisRun.mjs';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rollout-lens-test-'));
  folders.push(folder);
  return folder;
}

/** What a line of a dump should log. */
export interface LineOptions {
  readonly step?: number;
  /** Another number is another prompt, so another group. */
  readonly prompt?: number;
  readonly calls?: readonly CallKind[];
  readonly right?: boolean;
  readonly formatted?: boolean;
}

/** One line of a Metis dump, without the line end. */
export function line({ step = 1, prompt = 1, calls = [], right = true, formatted = true }: LineOptions = {}): string {
  const question: Question = {
    text: `What is ${prompt} × 7 + 1?`,
    kind: 'compute',
    value: prompt * 7 + 1,
    a: prompt,
    b: 7,
    c: 1,
    difficulty: 0.5,
  };
  return metisLine(metisRecord(seededRandom(prompt), { step, question, calls, right, formatted }));
}

/** Lines as the text of a dump. */
export function dump(...lines: readonly LineOptions[]): string {
  return lines.map((options) => `${line(options)}\n`).join('');
}

/** Writes a file, with its folders. */
export async function write(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

/** Waits until `check` gives something else than null, false or undefined; fails with `what` after `limitMs`. */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  limitMs = 10_000,
): Promise<Exclude<T, null | false | undefined>> {
  const end = Date.now() + limitMs;
  for (;;) {
    const value = await check();
    if (value !== null && value !== undefined && value !== false) {
      return value as Exclude<T, null | false | undefined>;
    }
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
