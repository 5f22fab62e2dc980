/**
 * The documents against the code: every path, npm script, command, setting and layer they name is there, and the other
 * way round where a document claims to list all. What only a reader can judge is left to readers.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isObject, type JsonObject } from '../../src/base/json.ts';
import { layers } from './layerTable.ts';

const root = join(import.meta.dirname, '..', '..');
const textOf = (name: string): string => readFileSync(join(root, name), 'utf8');
const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];

function jsonOf(name: string): JsonObject {
  const value: unknown = JSON.parse(textOf(name));
  if (!isObject(value)) throw new Error(`${name} is no JSON object`);
  return value;
}

const manifest = jsonOf('package.json');
const scripts = isObject(manifest.scripts) ? Object.keys(manifest.scripts) : [];
const contributes = isObject(manifest.contributes) ? manifest.contributes : {};

/** Cells of the rows of the first table after a line, without the header. */
function tableAfter(text: string, line: string): string[][] {
  const rows = text.slice(text.indexOf(line)).split('\n');
  const first = rows.findIndex((row) => row.startsWith('| ---'));
  const after = rows.slice(first + 1);
  const end = after.findIndex((row) => !row.startsWith('|'));
  return after.slice(0, end < 0 ? undefined : end).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const inBackticks = (text: string): string[] => [...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');

describe.each(documents)('%s', (name) => {
  it('names npm scripts that exist', () => {
    const named = [...textOf(name).matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] ?? '');
    expect(named.filter((script) => !scripts.includes(script))).toEqual([]);
  });

  it('names files and folders that exist', () => {
    const looksLikePath = (text: string): boolean => /^(src|test|webview|scripts|media)\/[\w./-]+$/.test(text);
    const paths = inBackticks(textOf(name)).filter(looksLikePath);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('links to files that exist', () => {
    const links = [...textOf(name).matchAll(/\]\((?!https?:|#)([^)]+)\)/g)].map((match) => match[1] ?? '');
    expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  const text = textOf('ARCHITECTURE.md');

  it('has the layer table that the test holds', () => {
    const rows = tableAfter(text, '## Who may import whom').map(([folder = '', allowed = '']) => {
      return [inBackticks(folder)[0], inBackticks(allowed.split(/[;(]/)[0] ?? '').sort()];
    });
    expect(Object.fromEntries(rows)).toEqual(
      Object.fromEntries(Object.entries(layers).map(([folder, allowed]) => [folder, [...allowed].sort()])),
    );
  });

  it('describes every folder of src', () => {
    const described = tableAfter(text, '| folder | what it is |').flatMap(([folder = '']) => inBackticks(folder));
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map((folder) => `src/${folder.name}`).filter((folder) => !described.includes(folder))).toEqual([]);
  });
});

describe('README.md', () => {
  const text = textOf('README.md');

  it('lists the settings with their defaults, all of them', () => {
    const configuration = isObject(contributes.configuration) ? contributes.configuration : {};
    const settings = isObject(configuration.properties) ? configuration.properties : {};
    const listed = tableAfter(text, '## Settings').map(([name = '', value = '']) => [
      inBackticks(name)[0],
      inBackticks(value)[0],
    ]);
    const declared = Object.entries(settings).map(([name, setting]) => [
      name,
      JSON.stringify(isObject(setting) ? setting.default : null),
    ]);
    expect(listed.sort()).toEqual(declared.sort());
  });

  it('names commands by their titles', () => {
    const titles = Object.values(jsonOf('package.nls.json'));
    const listed = tableAfter(text, '## Commands').flatMap(([names = '']) => names.split(', '));
    expect(listed.filter((title) => !titles.includes(title))).toEqual([]);
  });
});

it('no tracked text names a machine path or how the work was organised', () => {
  for (const name of documents) expect(textOf(name), name).not.toMatch(/(^|[^\w])\/(work|root|tmp)\//);
});
