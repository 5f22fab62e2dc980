/** The notices of the VSIX: every package that is bundled or shipped, with the licence files of its own. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isObject } from '../../src/base/json.ts';
import { noticesFile, packagesOf, thirdPartyNotices } from '../../scripts/notices.mjs';
import { root } from './sources.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'rollout-lens-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function writePackage(
  manifest: Readonly<Record<string, unknown>> & { readonly name: string },
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  const own = path.join(folder, 'node_modules', manifest.name);
  await mkdir(own, { recursive: true });
  await writeFile(path.join(own, 'package.json'), JSON.stringify({ version: '1.2.3', ...manifest }));
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(own, name), text);
  return own;
}

describe('the packages of files', () => {
  it('are the innermost folders below node_modules, each once', () => {
    const files = [
      'src/extension.ts',
      'node_modules/b/index.js',
      'node_modules/b/lib/other.js',
      'node_modules/@scope/a/dist/index.js',
      'node_modules/b/node_modules/c/index.js',
      'out\\staging\\node_modules\\d\\index.js',
    ];
    expect(packagesOf(files)).toEqual([
      'node_modules/@scope/a',
      'node_modules/b',
      'node_modules/b/node_modules/c',
      'out/staging/node_modules/d',
    ]);
  });
});

describe('the notices', () => {
  it('have the licence files that a package carries, and its own notices', async () => {
    const own = await writePackage(
      { name: '@scope/own', license: 'MIT', repository: { url: 'git+https://example.org/scope/own.git' } },
      { LICENSE: 'licence of its own\r\n', 'ThirdPartyNotices.txt': 'what it holds itself', 'README.md': 'not this' },
    );
    const text = await thirdPartyNotices([own]);
    expect(text).toContain('@scope/own 1.2.3 (MIT)');
    expect(text).toContain('https://example.org/scope/own\n');
    expect(text).toContain('licence of its own\n\nwhat it holds itself\n');
    expect(text).not.toMatch(/\r|not this/);
  });
  it('have the standard text where a package carries none, and say so', async () => {
    const text = await thirdPartyNotices([
      await writePackage({ name: 'bare', license: 'ISC', repository: 'owner/bare' }),
    ]);
    expect(text).toContain('The package carries no licence file: the standard text of ISC.');
    expect(text).toContain('Permission to use, copy, modify, and/or distribute this software');
    expect(text).toContain('https://github.com/owner/bare');
    expect(await thirdPartyNotices([await writePackage({ name: 'plain', license: 'MIT' })])).toContain(
      'Copyright (c) the authors of plain',
    );
  });
  it.each(['SEE LICENSE IN FILE', '', 'toString'])(
    'are not made for a package whose licence is "%s"',
    async (license) => {
      const own = await writePackage({ name: `none${license.length}`, license });
      await expect(thirdPartyNotices([own])).rejects.toThrow(/neither a licence file nor a licence that is known/);
    },
  );
  it('are in the VSIX', () => {
    expect(readFileSync(path.join(root, '.vscodeignore'), 'utf8').split('\n')).toContain(`!${noticesFile}`);
  });
  it('can be made of every package that is shipped beside the bundles', async () => {
    const manifest: unknown = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
    const dependencies =
      isObject(manifest) && isObject(manifest.dependencies) ? Object.keys(manifest.dependencies) : [];
    expect(dependencies.length).toBeGreaterThan(1);
    const text = await thirdPartyNotices(dependencies.map((name) => path.join(root, 'node_modules', name)));
    for (const name of dependencies) expect(text).toMatch(new RegExp(`^${name} \\d`, 'm'));
  });
});
