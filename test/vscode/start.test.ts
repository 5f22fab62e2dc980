// `npm start` as a user runs it: it prints an address, the window there shows the run, and Ctrl+C ends all of it.
//
// Takes the VSIX that the other tests take, so that nothing is built here. Leaves out: the views.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, inject, test } from 'vitest';
import { writeMetisRun } from '../generate/metisRun.mjs';
import { descendants, stillRuns } from './processes.ts';

const repository = path.resolve(import.meta.dirname, '../..');
let child: ChildProcess | undefined;
let folder: string | undefined;

afterEach(async () => {
  child?.kill('SIGKILL');
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

test('prints an address that answers, and Ctrl+C leaves nothing behind', async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'rollout-lens-start-'));
  const run = path.join(folder, 'run');
  await writeMetisRun({ directory: run, steps: 1, promptsPerStep: 1, rolloutsPerPrompt: 2, seed: 1 });
  const started = start(run, '--vsix', inject('vsix'), '--profile', path.join(folder, 'profile'));
  const address = await printed(started, /^ {2}(http:\/\/127\.0\.0\.1:\d+\/\S+)$/m);
  expect(address).toContain(encodeURIComponent(run));
  expect((await fetch(address)).status).toBe(200);

  const below = descendants(child?.pid);
  expect(below.length).toBeGreaterThan(0);
  const ended = new Promise((resolve) => child?.once('exit', resolve));
  child?.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(below.filter(stillRuns)).toEqual([]);
});

test('says what is wrong with a path that does not exist', async () => {
  const started = start(path.join(tmpdir(), 'no-such-folder'));
  const code = await new Promise((resolve) => child?.once('exit', resolve));
  expect(code).toBe(1);
  expect(started.output()).toContain('no-such-folder does not exist. Give a folder of logs or one log file.');
});

interface Started {
  output(): string;
}

function start(...argv: readonly string[]): Started {
  const running = spawn(process.execPath, [path.join(repository, 'scripts', 'start.mjs'), ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = running;
  let text = '';
  running.stdout.on('data', (bytes: Buffer) => (text += bytes.toString('utf8')));
  running.stderr.on('data', (bytes: Buffer) => (text += bytes.toString('utf8')));
  return { output: () => text };
}

async function printed(started: Started, pattern: RegExp): Promise<string> {
  await expect.poll(() => started.output(), { timeout: 120_000, interval: 100 }).toMatch(pattern);
  return pattern.exec(started.output())?.[1] ?? '';
}
