/** The layer table of the design, held by walking the imports of src and webview, and the house rules of a file. */
import { describe, expect, it } from 'vitest';
import { layers } from './layerTable.ts';
import { sourcesBelow, type SourceFile } from './sources.ts';

/** Packages that one file alone may import. */
const soleImporters: Readonly<Record<string, string>> = {
  '@duckdb/node-api': 'src/store/duckdb.ts',
  'onnxruntime-node': 'src/replay/ortSession.ts',
  'vscode-jsonrpc': 'src/protocol/rpc.ts',
};

const mostLines = 450;

const sources = [...sourcesBelow('src'), ...sourcesBelow('webview')];

function layerOf(name: string): string | undefined {
  return Object.keys(layers).find((layer) => name === layer || name.startsWith(`${layer}/`));
}

/** The third of "src/views/<view>/…", null for the files that put views together. */
function viewOf(name: string): string | null {
  return /^src\/views\/([^/]+)\//.exec(name)?.[1] ?? null;
}

function mayImport(file: SourceFile, target: string): boolean {
  const layer = layerOf(file.path);
  if (layer === undefined) return false;
  const allowed = layers[layer] ?? [];
  if (target.startsWith('node:') && allowed.includes('node')) return true;
  if (allowed.includes(target)) return true;
  const targetLayer = layerOf(target);
  if (targetLayer === undefined) return target.startsWith('webview/') && target.endsWith('.css');
  if (targetLayer !== layer) return allowed.includes(targetLayer);
  const view = viewOf(file.path);
  return view === null || view === viewOf(target);
}

describe('layers', () => {
  it('finds the sources', () => {
    expect(sources.length).toBeGreaterThan(50);
  });
  it.each(sources.map((file) => [file.path, file] as const))('%s imports only what it may', (_, file) => {
    expect(layerOf(file.path), 'a folder of the table').toBeDefined();
    expect(file.imports.filter((target) => !mayImport(file, target))).toEqual([]);
  });
  it.each(Object.entries(soleImporters))('%s is imported by %s alone', (name, only) => {
    expect(sources.filter((file) => file.imports.includes(name)).map((file) => file.path)).toEqual([only]);
  });
  it('the toolkit is imported below webview/ui alone', () => {
    const importers = sources.filter((file) => file.imports.some((target) => target.includes('webview-ui-toolkit')));
    expect(importers.filter((file) => !file.path.startsWith('webview/ui/')).map((file) => file.path)).toEqual([]);
  });
  it('the table has no entry without files', () => {
    const used = new Set(sources.map((file) => layerOf(file.path)));
    expect(Object.keys(layers).filter((layer) => !used.has(layer))).toEqual([]);
  });
});

describe('a file', () => {
  it('has no default export and is no barrel', () => {
    const found = sources.filter((file) =>
      /^export (default\b|\*|\{[^}]*\} from|type \{[^}]*\} from)/m.test(file.text),
    );
    expect(found.map((file) => file.path)).toEqual([]);
  });
  it(`has at most ${mostLines} lines`, () => {
    const long = sources.filter((file) => file.text.split('\n').length - 1 > mostLines);
    expect(long.map((file) => file.path)).toEqual([]);
  });
  it('starts with a header of 3 to 10 lines', () => {
    const without = sources.filter((file) => {
      const lines = headerLines(file.text);
      return lines < 3 || lines > 10;
    });
    expect(without.map((file) => `${file.path}: ${headerLines(file.text)}`)).toEqual([]);
  });
  it('is named in camelCase', () => {
    expect(sources.map((file) => file.path).filter((name) => !/\/[a-z][a-zA-Z0-9]*\.ts$/.test(name))).toEqual([]);
  });
  it('does not print, mute the type checker or name a folder like a drawer', () => {
    const found = sources.filter(
      (file) =>
        (/\bconsole\.\w+\(/.test(file.text) && file.path !== 'src/cli.ts') ||
        /@ts-(ignore|nocheck|expect-error)|eslint-disable/.test(file.text) ||
        /\/(utils?|common|core|services?|managers?|helpers?)\//.test(file.path),
    );
    expect(found.map((file) => file.path)).toEqual([]);
  });
  it('extension.ts has at most 60 lines', () => {
    const extension = sources.find((file) => file.path === 'src/extension.ts');
    expect(extension?.text.split('\n').length ?? 0).toBeLessThanOrEqual(60);
  });
});

/** Lines of the comment that a file starts with, its delimiters included. */
function headerLines(text: string): number {
  const comment = /^\/\*\*[\s\S]*?\*\//.exec(text)?.[0] ?? /^(\/\/.*\n)+/.exec(text)?.[0].trimEnd() ?? '';
  return comment === '' ? 0 : comment.split('\n').length;
}
