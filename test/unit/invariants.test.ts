/**
 * The invariants of ARCHITECTURE.md that are facts of the sources. The others are held where the code is driven: 1 by
 * readers/fixtures and engine/reading, 4 by protocol/arithmetic and transcript/renderTranscript, 5 by transcript/caps and
 * engine/hostileQuestions, 7 by protocol/rpc, store/duckdb and host/engineKeeper, 10 by manifest, 11 by layers as well.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isObject } from '../../src/base/json.ts';
import { root, sourcesBelow, type SourceFile } from './sources.ts';

const src = sourcesBelow('src');
const all = [...src, ...sourcesBelow('webview')];
const below = (folder: string): readonly SourceFile[] => src.filter(({ path }) => path.startsWith(`${folder}/`));

/** The code of a file without its comments. */
const codeOf = ({ text }: SourceFile): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');

/** Files whose code has a match, with the match. */
function found(files: readonly SourceFile[], pattern: RegExp): readonly string[] {
  return files.flatMap((file) => [...codeOf(file).matchAll(pattern)].map(([match]) => `${file.path}: ${match}`));
}

describe('invariant 2: model is data', () => {
  it('has no classes, no methods and no state', () => {
    expect(found(below('src/model'), /^(?:export )?(?:class|let|var)\b.*|\bclass \w+|\bthis\./gm)).toEqual([]);
    expect(found(below('src/model'), /^ {2}(?:readonly )?\w+\??:\s*\(.*\)\s*=>.*|^ {2}\w+\(.*\): .*;/gm)).toEqual([]);
  });
});

describe('invariant 3: analysis is arithmetic', () => {
  it('knows no clock, no randomness, no I/O', () => {
    const outside =
      /\b(?:Date|performance|crypto|setTimeout|setInterval|queueMicrotask|globalThis|require)\b|\bprocess\.|\bfetch\(|Math\.random|\basync\b|\bawait\b/g;
    expect(found(below('src/analysis'), outside)).toEqual([]);
  });
});

describe('invariant 6: lists have a total order', () => {
  /** What an ORDER BY may end with, and why nothing can tie behind it. */
  const unique: readonly (readonly [ending: RegExp, why: string])[] = [
    [/\brow(?: DESC)?$/, 'a record of one file, or file_order before it'],
    [/\bplace$/, 'the first (file, row) of a group'],
    [/\bstep$/, 'one row a step'],
    [/\bsize DESC$/, 'one row a size'],
    [/\bfile$/, 'one row a file'],
    [/\brule, tool NULLS FIRST$/, 'one row a rule and tool'],
    [/\bstep, group_in_step$/, 'one row a group'],
    [/^prompt_name$/, 'ranks equal names alike'],
  ];
  const orders = src.flatMap((file) =>
    [...codeOf(file).matchAll(/ORDER BY (.*?)(?=\)|`|'| LIMIT| \$\{limit|$)/gm)].map(([, keys = '']) => keys.trim()),
  );
  it('finds them', () => {
    expect(orders.length).toBeGreaterThan(8);
  });
  it('whatever a list of rollouts is sorted by, step, file and row come last', () => {
    const questions = src.filter(({ path }) => path === 'src/store/questions.ts').map(codeOf);
    expect(questions.join()).toContain("const total = 'step, file_order, row';");
    expect(questions.join()).toContain('NULLS LAST, `}${total}`');
  });
  it.each(orders.filter((keys) => !keys.startsWith('count(') && !keys.startsWith('${order')))('ORDER BY %s', (keys) => {
    expect(unique.filter(([ending]) => ending.test(keys)).length).toBeGreaterThan(0);
  });
});

describe('invariant 8: native code is loaded by one process', () => {
  const byPath = new Map(all.map((file) => [file.path, file]));
  /** Everything that an entry point loads, types left out. */
  const loadedFrom = (entry: string): ReadonlySet<string> => {
    const seen = new Set<string>();
    const visit = (path: string): void => {
      const file = byPath.get(path);
      if (seen.has(path)) return;
      seen.add(path);
      const types = new Set(
        [...(file?.text ?? '').matchAll(/^import type [^;]*? from '(\.[^']+)';/gm)].map(([, name = '']) =>
          join(path, '..', name).replaceAll('\\', '/'),
        ),
      );
      for (const target of file?.imports ?? []) if (!types.has(target)) visit(target);
    };
    visit(entry);
    return seen;
  };
  it.each(['src/extension.ts', 'src/processes/readWorker.ts', 'webview/charts/main.ts'])('%s does not', (entry) => {
    expect(loadedFrom(entry).size).toBeGreaterThan(5);
    const native = ['@duckdb/node-api', 'onnxruntime-node'];
    expect([...loadedFrom(entry)].filter((path) => native.includes(path))).toEqual([]);
  });
  it('the engine and the replayer do, each one library', () => {
    const [engine, replayer] = ['src/processes/engineMain.ts', 'src/processes/replayMain.ts'].map(loadedFrom);
    expect([...(engine ?? [])]).toContain('@duckdb/node-api');
    expect([...(engine ?? [])]).not.toContain('onnxruntime-node');
    expect([...(replayer ?? [])]).toContain('onnxruntime-node');
    expect([...(replayer ?? [])]).not.toContain('@duckdb/node-api');
  });
});

describe('invariant 9: text of a log is text', () => {
  it('is never page source and never code', () => {
    const risky =
      /\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment)\b|\beval\(|\bnew Function\(|\b(?:exec|execFile|spawn)(?:Sync)?\('|node:vm/g;
    expect(found(all, risky)).toEqual([]);
  });
  it('enters Markdown by appendText and appendCodeblock only', () => {
    const other = found(src, /new vscode\.MarkdownString\([^)]+\)|appendMarkdown\((?!'[^']*'\)).*/g);
    // The one link: an id of ours, and JSON that is encoded.
    expect(other).toEqual(['src/views/annotations/markdown.ts: appendMarkdown(`](command:${command}?${encoded})`);']);
  });
  it('is no link in a notification', () => {
    const shown = found(src, /show(?:Information|Warning|Error)Message\((?!withoutLinks\()[^,)]*/g);
    expect(shown).toEqual([]);
  });
});

describe('invariant 11: absent on purpose', () => {
  it('no dependency for injection, events or telemetry', () => {
    const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    if (!isObject(manifest)) throw new Error('package.json is no object');
    const names = [manifest.dependencies, manifest.devDependencies].flatMap((list) =>
      isObject(list) ? Object.keys(list) : [],
    );
    expect(names.length).toBeGreaterThan(5);
    expect(
      names.filter((name) => /inversify|tsyringe|typedi|telemetry|applicationinsights|mitt|eventemitter/.test(name)),
    ).toEqual([]);
  });
});
