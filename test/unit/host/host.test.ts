/** The pure parts of the host: environment of children, pages, addresses, arguments of commands, remembered runs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { childEnvironment } from '../../../src/host/childEnvironment.ts';
import { asIndex, asRolloutRef, asRunId, asUri } from '../../../src/host/commandTable.ts';
import { contentSecurityPolicy, pageSource } from '../../../src/host/pageSource.ts';
import { withoutIcons, withoutLinks } from '../../../src/host/logText.ts';
import { parseAddress } from '../../../src/host/rolloutAddress.ts';
import { openMemory } from '../../../src/host/sessionMemory.ts';

describe('childEnvironment', () => {
  it('drops what would make the child behave like the editor', () => {
    const environment = {
      PATH: '/bin',
      NODE_OPTIONS: '--inspect',
      VSCODE_PID: '1',
      ELECTRON_NO_ASAR: '1',
      vscode_x: '1',
    };
    expect(childEnvironment(environment)).toEqual({ PATH: '/bin', ELECTRON_RUN_AS_NODE: '1' });
  });
  it('leaves the original alone', () => {
    const environment = Object.freeze({ NODE_OPTIONS: 'x' });
    childEnvironment(environment);
    expect(environment).toEqual({ NODE_OPTIONS: 'x' });
  });
});

describe('pageSource', () => {
  const parts = {
    nonce: 'abc',
    cspSource: 'https://source',
    scriptAddress: 'https://source/dist/a.js?x=1&y="2"',
    styleAddress: null,
    title: '</title><script>alert(1)</script>',
    language: 'en',
  };
  it('has the policy of the convention, word for word', () => {
    expect(contentSecurityPolicy(parts)).toBe(
      "default-src 'none'; script-src 'nonce-abc'; style-src https://source 'nonce-abc'; img-src https://source blob: data:; " +
        'font-src https://source; connect-src https://source; worker-src blob:',
    );
  });
  it('never allows inline or evaluated code', () => {
    expect(contentSecurityPolicy(parts)).not.toMatch(/unsafe|\*|https?:(?!\/\/source)/);
  });
  it('has one script, with the nonce, and the nonce for the toolkit', () => {
    const page = pageSource(parts);
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).toContain('<script nonce="abc" src="https://source/dist/a.js?x=1&amp;y=&quot;2&quot;">');
    expect(page).toContain('<meta property="csp-nonce" content="abc">');
    expect(page).not.toContain('<link');
  });
  it('links a style sheet where there is one', () => {
    expect(pageSource({ ...parts, styleAddress: 'https://source/a.css' })).toContain(
      '<link rel="stylesheet" nonce="abc" href="https://source/a.css">',
    );
  });
});

describe('parseAddress', () => {
  const query = JSON.stringify({ run: 'r', file: '17.jsonl', row: 4, path: '/logs' });
  it('reads what an address names', () => {
    expect(parseAddress({ scheme: 'rollout', query })).toEqual({
      ref: { run: 'r', file: '17.jsonl', row: 4 },
      path: '/logs',
      rest: null,
    });
    const rest = JSON.stringify({ run: 'r', file: 'f', row: 0, path: '/logs', turn: 2, part: 1 });
    expect(parseAddress({ scheme: 'rollout', query: rest })?.rest).toEqual({ turn: 2, part: 1 });
  });
  it.each([
    ['another scheme', 'file', query],
    ['no JSON', 'rollout', '{'],
    ['no object', 'rollout', '[]'],
    ['no row', 'rollout', '{"run":"r","file":"f","path":"/p"}'],
    ['a negative row', 'rollout', '{"run":"r","file":"f","path":"/p","row":-1}'],
    ['a row that is no whole number', 'rollout', '{"run":"r","file":"f","path":"/p","row":1.5}'],
    ['no path', 'rollout', '{"run":"r","file":"f","row":1}'],
  ])('is null for %s', (_, scheme, text) => {
    expect(parseAddress({ scheme, query: text })).toBeNull();
  });
  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        parseAddress({ scheme: 'rollout', query: text });
      }),
    );
  });
});

describe('arguments of commands', () => {
  it('accepts a tree node as the name of its rollout', () => {
    expect(asRolloutRef({ id: 'x', run: 'r', file: 'f', row: 0, content: {} })).toEqual({
      run: 'r',
      file: 'f',
      row: 0,
    });
  });
  it.each([
    [null],
    [undefined],
    [1],
    ['x'],
    [[]],
    [{ run: 'r', file: 'f', row: null }],
    [{ run: 1, file: 'f', row: 0 }],
  ])('%j is no rollout', (value) => {
    expect(asRolloutRef(value)).toBeNull();
  });
  it('takes a run from an id or a node', () => {
    expect([asRunId('r'), asRunId({ run: 'r' }), asRunId({}), asRunId(undefined)]).toEqual(['r', 'r', null, null]);
  });
  it('takes whole numbers from 0', () => {
    expect([asIndex(0), asIndex(3), asIndex(-1), asIndex(0.5), asIndex('1'), asIndex(null)]).toEqual([
      0,
      3,
      null,
      null,
      null,
      null,
    ]);
  });
  it('tells a Uri from other objects', () => {
    expect(asUri({ scheme: 'file', path: '/a', fsPath: '/a' })).not.toBeNull();
    expect(asUri({ scheme: 'file' })).toBeNull();
  });
});

describe('text of a log', () => {
  /** VS Code's own expression for links in notifications (linkedText.ts). */
  const link = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;
  it('is no link in a notification', () => {
    for (const hostile of ['a [b](command:c?%22d%22) e', '[[x]](https://x)', '[a](file:///x "y")', '](](command:x)']) {
      expect(withoutLinks(hostile)).not.toMatch(link);
      expect(withoutLinks(hostile).replaceAll(' ', '')).toBe(hostile.replaceAll(' ', ''));
    }
    expect('[b](command:c)').toMatch(link);
  });
  it('draws no icon in a quick pick, and stays on one line', () => {
    expect(withoutIcons('a\n $(x) $$(y)')).toBe('a \\$(x) $\\$(y)');
  });
});

describe('openMemory', () => {
  const store = () => {
    const values = new Map<string, unknown>();
    return {
      values,
      get: (key: string) => values.get(key),
      update: (key: string, value: unknown) => {
        values.set(key, structuredClone(value));
        return Promise.resolve();
      },
    };
  };
  it('remembers opened paths once, in order', () => {
    const memory = openMemory(store());
    for (const path of ['/a', '/b', '/a']) memory.rememberOpened(path);
    expect(memory.openedPaths()).toEqual(['/a', '/b']);
    memory.forgetOpened('/a');
    expect(memory.openedPaths()).toEqual(['/b']);
  });
  it('remembers which runs are closed until they are opened again', () => {
    const memory = openMemory(store());
    memory.setClosed(['r', 's']);
    memory.setReopened(['s']);
    expect([memory.isClosed('r'), memory.isClosed('s'), memory.isClosed('t')]).toEqual([true, false, false]);
  });
  it('gives each shown run a colour of its own and keeps it', () => {
    const memory = openMemory(store());
    expect(['a', 'b', 'c'].map((run) => memory.colourOf(run, ['a', 'b', 'c']))).toEqual([0, 1, 2]);
    expect(memory.colourOf('d', ['a', 'c', 'd'])).toBe(1);
    expect(memory.colourOf('c', ['c'])).toBe(2);
  });
  it('keeps a threshold for each run', () => {
    const memory = openMemory(store());
    memory.setThreshold('r', 0.75);
    expect([memory.threshold('r'), memory.threshold('s')]).toEqual([0.75, null]);
  });
  it('reads anything that is stored', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const memory = openMemory({ get: () => value, update: () => Promise.resolve() });
        memory.openedPaths();
        memory.isClosed('r');
        memory.threshold('r');
        memory.colourOf('r', ['r', 's']);
      }),
    );
  });
});
