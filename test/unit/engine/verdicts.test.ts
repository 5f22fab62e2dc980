/** The verdicts of users: kept, taken back, shared by two windows, exported, imported, and counted by rule. */
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openVerdicts } from '../../../src/engine/verdicts.ts';
import { temporaryFolder } from './logs.ts';

const flag = (number: number, rule = 'repeat') => ({ id: number.toString(16).padStart(32, '0'), rule });

describe('verdicts', () => {
  it('are kept, changed and taken back, also by another window', async () => {
    const storage = join(await temporaryFolder(), 'not', 'there', 'yet');
    const [one, other] = [openVerdicts(storage), openVerdicts(storage)];
    expect((await one.all()).size).toBe(0);
    await one.set(flag(1), 'confirmed');
    await other.set(flag(2), 'confirmed');
    await other.set(flag(1), 'dismissed');
    expect([...(await one.all()).values()].map(({ verdict }) => verdict)).toEqual(['confirmed', 'dismissed']);
    await one.set(flag(2), null);
    expect([...(await other.all()).keys()]).toEqual([flag(1).id]);
    expect(await readdir(storage)).toEqual(['verdicts.jsonl']);
  });

  it('are all kept when two windows write at once', async () => {
    const storage = await temporaryFolder();
    const windows = [openVerdicts(storage), openVerdicts(storage)];
    await Promise.all(Array.from({ length: 40 }, (_, i) => windows[i % 2]?.set(flag(i), 'confirmed')));
    expect((await windows[0]?.all())?.size).toBe(40);
  });

  it('do not grow with every change of mind', async () => {
    const storage = await temporaryFolder();
    const verdicts = openVerdicts(storage);
    const path = join(storage, 'verdicts.jsonl');
    const old = JSON.stringify({ flag: flag(1).id, rule: 'repeat', verdict: 'confirmed' });
    await writeFile(path, `${old}\n`.repeat(1_500));
    await verdicts.set(flag(2), 'dismissed');
    expect((await readFile(path, 'utf8')).trimEnd().split('\n')).toHaveLength(2);
    expect((await verdicts.all()).size).toBe(2);
  });

  it('survive damaged lines', async () => {
    const storage = await temporaryFolder();
    await openVerdicts(storage).set(flag(1), 'confirmed');
    await appendFile(join(storage, 'verdicts.jsonl'), 'half a li');
    expect((await openVerdicts(storage).all()).size).toBe(1);
    await openVerdicts(storage).set(flag(2), 'confirmed');
    expect([...(await openVerdicts(storage).all()).keys()]).toContain(flag(2).id);
  });

  it('are exported and imported: later ones win, bad lines are counted', async () => {
    const [here, there] = [await temporaryFolder(), await temporaryFolder()];
    const from = openVerdicts(here);
    await from.set(flag(1), 'confirmed');
    await from.set(flag(2, 'echo'), 'dismissed');
    const file = join(here, 'export.jsonl');
    expect(await from.exportTo(file)).toBe(2);
    const to = openVerdicts(there);
    await to.set(flag(1), 'dismissed');
    const bad = ['not JSON', '{"flag":"../x","rule":"echo","verdict":"confirmed"}', '{"flag":1}', '[]'];
    await appendFile(
      file,
      `${bad.join('\n')}\n\n${JSON.stringify({ flag: flag(2).id, rule: 'echo', verdict: 'confirmed' })}\n`,
    );
    expect(await to.importFrom(file)).toEqual({ added: 2, badLines: 4 });
    expect([...(await to.all()).values()].map(({ rule, verdict }) => [rule, verdict])).toEqual([
      ['repeat', 'confirmed'],
      ['echo', 'confirmed'],
    ]);
  });

  it('fail with a sentence where a file cannot be read or written', async () => {
    const storage = await temporaryFolder();
    const verdicts = openVerdicts(storage);
    await expect(verdicts.importFrom(join(storage, 'none.jsonl'))).rejects.toMatchObject({ name: 'UserError' });
    await expect(verdicts.importFrom(storage)).rejects.toThrow('could not be imported: it is no file');
    await expect(verdicts.exportTo(join(storage, 'no', 'folder.jsonl'))).rejects.toMatchObject({ name: 'UserError' });
    await writeFile(join(storage, 'file'), '');
    const refused = openVerdicts(join(storage, 'file', 'below'));
    await expect(refused.set(flag(1), 'confirmed')).rejects.toThrow('The verdict could not be kept');
  });

  it('give the precision of each rule with its Wilson interval', async () => {
    const verdicts = openVerdicts(await temporaryFolder());
    for (const [number, verdict] of (['confirmed', 'confirmed', 'confirmed', 'dismissed'] as const).entries()) {
      await verdicts.set(flag(number), verdict);
    }
    await verdicts.set(flag(9, 'echo'), 'dismissed');
    const [echo, repeat] = await verdicts.precision();
    expect(echo).toMatchObject({ rule: 'echo', confirmed: 0, dismissed: 1, precision: 0, low: 0 });
    expect(repeat).toMatchObject({ rule: 'repeat', confirmed: 3, dismissed: 1, precision: 0.75 });
    expect(repeat?.low).toBeCloseTo(0.3006, 4);
    expect(repeat?.high).toBeCloseTo(0.9544, 4);
  });
});
