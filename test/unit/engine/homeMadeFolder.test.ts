/** A folder whose only logs are home-made: what opening it says, and which log its form is about. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { testEngine } from './engineOfTests.ts';
import { temporaryFolder, write } from './logs.ts';

const own = `${JSON.stringify({ ask: 'Why is it so?', said: { text: 'Because it is.' }, points: 0.5 })}\n`;

it('names the fix, and its form is about the first log below it', async () => {
  const folder = await temporaryFolder();
  await write(join(folder, 'runs/b/x.jsonl'), own);
  const first = await write(join(folder, 'runs/a/y.jsonl'), own);
  const { ask, openAndRead } = await testEngine();
  const error: unknown = await ask('open', { path: folder }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({
    message: expect.stringContaining('holds no rollout log that can be read') as string,
    action: expect.stringContaining('"Map Fields…"') as string,
  });
  const form = await ask('mappingForm', { path: folder });
  expect(form.file).toBe(first);
  const mapping = { ...form.guess, prompt: 'ask', response: 'said.text', reward: 'points' };
  expect(await ask('saveMapping', { path: form.file, mapping })).toMatchObject({ folder: join(folder, 'runs/a') });
  expect(await openAndRead(join(folder, 'runs/a'))).toMatchObject({ rollouts: 1 });
  // The other one is still unknown.
  expect((await ask('mappingForm', { path: join(folder, 'runs') })).file).toBe(join(folder, 'runs/b/x.jsonl'));
});

it('has no form where nothing in it holds texts', async () => {
  const folder = await temporaryFolder();
  await write(join(folder, 'metrics.jsonl'), '{"step": 1, "loss": 0.5}\n');
  const { ask } = await testEngine();
  await expect(ask('mappingForm', { path: folder })).rejects.toThrow(/without a log whose fields could be mapped/);
});
