/**
 * The manifest proven against the code: commands, menus, settings, texts, context keys, and what the conventions and the
 * Marketplace ask for that can be seen without running anything.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { asArray, asString, isObject, type Json, type JsonObject } from '../../src/base/json.ts';
import { settings } from '../../src/host/settings.ts';
import { root, sourcesBelow } from './sources.ts';

const read = (name: string) => readFileSync(path.join(root, name), 'utf8');
const manifest = object(JSON.parse(read('package.json')));
const texts = object(JSON.parse(read('package.nls.json')));
const contributes = object(manifest.contributes);
const sources = sourcesBelow('src').filter((file) => /^src\/(host|views|extension)/.test(file.path));
const code = sources.map((file) => file.text).join('\n');

function object(value: unknown): JsonObject {
  if (!isObject(value)) throw new Error('not an object');
  return value;
}
function objects(value: Json | undefined): readonly JsonObject[] {
  return asArray(value).map(object);
}
function text(value: Json | undefined): string {
  return asString(value) ?? '';
}
/** Every string in a JSON value. */
function strings(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap((item: Json) => strings(item));
  return isObject(value) ? Object.values(value).flatMap((item) => strings(item)) : [];
}
function matches(pattern: RegExp, from: string): readonly string[] {
  return [...new Set([...from.matchAll(pattern)].map((match) => match[1] ?? ''))].sort();
}
/** The text that a %key% stands for. */
function shown(value: Json | undefined): string {
  return text(texts[text(value).replace(/^%|%$/g, '')]);
}

const declared = objects(contributes.commands).map((command) => text(command.command));
const menus = Object.entries(object(contributes.menus)).flatMap(([menu, items]) =>
  objects(items).map((item) => ({ menu, command: text(item.command), when: text(item.when), group: text(item.group) })),
);
const hidden = menus
  .filter(({ menu, when }) => menu === 'commandPalette' && when === 'false')
  .map((item) => item.command);
const keybindings = objects(contributes.keybindings);
const welcomes = objects(contributes.viewsWelcome);
const walkthroughs = objects(contributes.walkthroughs);
const properties = object(object(contributes.configuration).properties);
const whens = [...menus, ...keybindings, ...welcomes, ...walkthroughs.flatMap((item) => objects(item.steps))].map(
  (item) => text((item as JsonObject).when),
);

describe('commands', () => {
  // A handler's key in a table of a view.
  const registered = matches(/^\s*'(rolloutLens\.\w+)':\s/gm, code);
  it('declared are the ones registered', () => {
    expect([...declared].sort()).toEqual(registered);
  });
  it('of every view are merged into the one table, and every view is activated', () => {
    const table = sources.find((file) => file.path === 'src/views/commands.ts')?.text ?? '';
    for (const name of matches(/export function (\w+Commands)\(.*CommandTable/g, code))
      expect(table).toContain(`...${name}(`);
    const entry = sources.find((file) => file.path === 'src/extension.ts')?.text ?? '';
    for (const name of matches(/export function (activate\w+)\(/g, code)) expect(entry).toContain(`${name}(context`);
  });
  it('in menus, links and tree items are declared', () => {
    const named = [
      ...menus.map((item) => item.command),
      ...strings(texts).flatMap((value) => matches(/\(command:(rolloutLens\.\w+)/g, value)),
      ...walkthroughs.flatMap((item) => strings(item)).flatMap((value) => matches(/^onCommand:(.+)$/g, value)),
      ...matches(/executeCommand\(\s*'(rolloutLens\.(?!\w+\.)\w+)'/g, code),
      ...matches(/command: '(rolloutLens\.\w+)'/g, code),
    ];
    expect([...new Set(named)].filter((id) => !declared.includes(id))).toEqual([]);
  });
  it('can all be reached: from the palette, or as an internal command that our code runs', () => {
    const used = new Set(matches(/'(rolloutLens\.\w+)'(?!:)/g, code));
    expect(hidden.filter((id) => !used.has(id))).toEqual([]);
  });
  it('share one category and have titles in Title Case without emoji, verb first', () => {
    const small = new Set(['a', 'an', 'the', 'of', 'in', 'with', 'and', 'or', 'to', 'by', 'at', 'for', 'on']);
    const verbs =
      /^(Open|Close|Curate|Map|Refresh|Sort|Filter|Clear|Cancel|Resume|Set|Show|Compare|Reveal|Copy|Add|Remove|Confirm|Dismiss|Undo|Replay|Export|Import|Choose|Install|Play|Download|Check) ?/;
    for (const command of objects(contributes.commands)) {
      expect(command.category).toBe('%category%');
      const title = shown(command.title);
      expect(title, text(command.command)).toMatch(verbs);
      expect(title).not.toMatch(/\p{Extended_Pictographic}/u);
      for (const [index, word] of title.replace('…', '').split(' ').entries()) {
        if (index === 0 || !small.has(word)) expect(word, title).toMatch(/^[A-Z]/);
      }
    }
  });
  it('that ask for more end with "…"', () => {
    const asking = ['openTrajectory', 'openRun', 'sortRollouts', 'filterRollouts', 'setRewardThreshold', 'compareWith'];
    for (const name of asking) expect(shown(`%command.${name}%`)).toMatch(/…$/);
  });
  it('with an icon only where a title or an item shows it', () => {
    const icons = objects(contributes.commands).filter((command) => command.icon !== undefined);
    for (const command of icons) expect(text(command.icon)).toMatch(/^\$\([a-z-]+\)$/);
    const inline = menus.filter(({ menu, group }) =>
      menu === 'view/title' ? group.startsWith('navigation') : group.startsWith('inline'),
    );
    const withIcon = new Set(icons.map((command) => text(command.command)));
    expect(inline.filter((item) => !withIcon.has(item.command)).map((item) => item.command)).toEqual([]);
  });
});

describe('menus', () => {
  it('of explorer and editors show on our files only', () => {
    const shared = menus.filter(({ menu }) => /^(explorer|editor|scm|diff)/.test(menu));
    expect(shared.length).toBeGreaterThan(0);
    for (const { command, menu, when } of shared) {
      expect(when, `${menu} ${command}`).toMatch(
        /resourceExtname|resourceFilename =~|resourceScheme == rollout|editorLangId == trajectory/,
      );
      // A .json file is ours only if it was recognised.
      if (when.includes('== .json ') || when.endsWith('== .json')) {
        expect(when).toMatch(/resourceExtname == \.json && \(resourcePath in rolloutLens\.runPaths/);
      }
    }
  });
  it('of explorer and editors know our files by their names, wrapped ones too, and no other JSON', () => {
    const ours = ['1.jsonl', 'a.ndjson', 'x.traj', 'a.eval', 'completions_00040.parquet', 'A.JSONL'];
    const wrapped = ['1.jsonl.gz', 'a.jsonl.zst', 'chat.json.gz', 'x.traj.zst'];
    const others = ['package.json', 'a.tar.gz', 'b.zst', 'jsonl', 'x.trajectory', 'a.jsonl.bak', 'medieval'];
    const commands = ['openTrajectory', 'openRun', 'mapFields'].map((name) => `rolloutLens.${name}`);
    const items = menus.filter(({ menu, command }) => /^(explorer|editor)/.test(menu) && commands.includes(command));
    expect(items.length).toBeGreaterThanOrEqual(6);
    for (const { menu, command, when } of items) {
      const source = /resourceFilename =~ \/(.+)\/i(?: |$)/.exec(when)?.[1];
      expect(source, `${menu} ${command}`).toBeDefined();
      const pattern = new RegExp(source ?? '', 'i');
      expect(
        others.filter((name) => pattern.test(name)),
        command,
      ).toEqual([]);
      // Only what may lack a reader is mapped: JSON lines and tables.
      const mapped = (name: string) => /\.(jsonl|ndjson|parquet)(\.(gz|zst))?$/i.test(name);
      const wanted = [...ours, ...wrapped].filter((name) => !command.endsWith('mapFields') || mapped(name));
      expect(
        [...ours, ...wrapped].filter((name) => pattern.test(name)),
        command,
      ).toEqual(wanted);
    }
  });
  it('of views name our view', () => {
    for (const { menu, command, when } of menus.filter((item) => item.menu.startsWith('view/'))) {
      expect(when, `${menu} ${command}`).toContain('view == rolloutLens.');
    }
  });
  it('have at most three icons of ours at an item, and one in an editor title', () => {
    const at = (menu: string, group: string) =>
      menus.filter((item) => item.menu === menu && item.group.startsWith(group)).map((item) => item.command);
    expect(new Set(at('view/item/context', 'inline')).size).toBeLessThanOrEqual(3);
    expect(at('editor/title', 'navigation').length).toBeLessThanOrEqual(1);
  });
  it('hide from the palette what needs an open transcript or an argument', () => {
    const palette = new Map(
      menus.filter(({ menu }) => menu === 'commandPalette').map(({ command, when }) => [command, when]),
    );
    for (const name of ['compareWith', 'openInLog', 'showGroup']) {
      expect(palette.get(`rolloutLens.${name}`), name).toMatch(/rollout|trajectory/);
    }
    for (const name of ['openImage', 'openRest', 'revealStep', 'revealRollout']) {
      expect(palette.get(`rolloutLens.${name}`), name).toBe('false');
    }
    for (const name of ['openTrajectory', 'openRun', 'openSampleRun', 'showCharts', 'showLog']) {
      expect(palette.get(`rolloutLens.${name}`) ?? '', name).toBe('');
    }
  });
  it('open a trajectory from explorer and tab', () => {
    for (const menu of ['explorer/context', 'editor/title/context']) {
      expect(
        menus.some((item) => item.menu === menu && item.command === 'rolloutLens.openTrajectory'),
        menu,
      ).toBe(true);
    }
  });
  it('keys are bound in our views only, and to nothing that VS Code uses there', () => {
    const taken =
      /^(ctrl|cmd)\+(shift\+)?[a-z0-9]$|^f\d+$|^alt\+(up|down|left|right)$|^(escape|enter|tab|space|delete)$/;
    for (const binding of keybindings) {
      expect(text(binding.when)).toMatch(
        /resourceScheme == rollout|editorLangId == trajectory|focusedView == rolloutLens\.|activeWebviewPanelId == 'rolloutLens\./,
      );
      expect(text(binding.key)).not.toMatch(taken);
    }
  });
});

describe('context keys', () => {
  it('that are used are the ones that are set', () => {
    const set = matches(/[sS]etContext'?[,(]\s*'(rolloutLens\.\w+)'/g, code);
    const views = new Set(
      Object.values(object(contributes.views)).flatMap((list) => objects(list).map((view) => view.id)),
    );
    const used = [
      ...new Set(whens.flatMap((when) => matches(/(?<!(?:view|focusedView) == )(rolloutLens\.\w+)/g, when))),
    ].filter((key) => !views.has(key));
    expect(used.sort()).toEqual(set);
  });
  it('hold the words that menus look for in viewItem', () => {
    const words = whens.flatMap((when) => [
      ...matches(/viewItem =~ \/\\b(\w+)\\b\//g, when),
      ...matches(/viewItem == (\w+)/g, when),
    ]);
    expect(words.length).toBeGreaterThan(0);
    for (const word of new Set(words)) expect(code, word).toMatch(new RegExp(`'${word}'`));
  });
  it.each([
    { view: 'runs', key: 'welcome', type: 'Welcome', full: 'runs' },
    { view: 'redundantCalls', key: 'redundancyWelcome', type: 'RedundancyWelcome', full: 'rows' },
    { view: 'models', key: 'modelsWelcome', type: 'ModelsWelcome', full: 'rows' },
  ])('welcome views of $view fit every state but $full, one button each', ({ view, key, type, full }) => {
    const states = matches(/'(\w+)'/g, new RegExp(`export type ${type} = ([^;]+);`).exec(code)?.[1] ?? '');
    const ours = welcomes.filter((item) => item.view === `rolloutLens.${view}`);
    const handled = ours.map((item) => text(item.when).replace(`rolloutLens.${key} == `, '')).sort();
    expect(handled).toEqual(states.filter((state) => state !== full));
    for (const item of ours) {
      expect(shown(item.contents).match(/^\[[^\]]+\]\(command:/gm)?.length ?? 0).toBeLessThanOrEqual(1);
    }
  });
});

describe('texts', () => {
  const keys = matches(/%([\w.]+)%/g, JSON.stringify(manifest));
  it('exist for every key, and every key is used', () => {
    expect(Object.keys(texts).sort()).toEqual(keys);
  });
  it('of everything that is shown go through a key', () => {
    const visible = (value: Json | undefined, key = ''): readonly string[] => {
      if (Array.isArray(value)) return value.flatMap((item: Json) => visible(item, key));
      if (isObject(value)) return Object.entries(value).flatMap(([name, item]) => visible(item, name));
      const names = ['title', 'name', 'description', 'markdownDescription', 'contents', 'altText', 'category', 'label'];
      return typeof value === 'string' && names.includes(key) ? [value] : [];
    };
    const literal = visible({ contributes: { ...contributes, languages: null, grammars: null } });
    expect(literal.filter((value) => !/^%[\w.]+%$/.test(value))).toEqual([]);
    expect([manifest.displayName, manifest.description]).toEqual(['%displayName%', '%description%']);
  });
  it('of the code are literals, so that they can be collected', () => {
    const calls = [...code.matchAll(/\bl10n\.t\(\s*(.)/g)].map((match) => match[1]);
    expect(calls.length).toBeGreaterThan(50);
    expect(calls.filter((start) => start !== "'" && start !== '"')).toEqual([]);
  });
  it('have no exclamation marks and no emoji', () => {
    for (const value of strings(texts)) expect(value).not.toMatch(/!|\p{Emoji_Presentation}/u);
  });
});

describe('settings', () => {
  it('are read with the type and default that are declared', () => {
    const declaredSettings = Object.fromEntries(
      Object.entries(properties).map(([key, item]) => [key, [object(item).type, object(item).default]]),
    );
    const readSettings = Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [
        `rolloutLens.${key}`,
        [Array.isArray(value) ? 'array' : typeof value, value],
      ]),
    );
    expect(declaredSettings).toEqual(readSettings);
  });
  it('are all read, and through config.ts alone', () => {
    for (const key of Object.keys(settings))
      expect(code, key).toMatch(new RegExp(`setting\\(\\s*'${key.replace('.', '\\.')}'`));
    const readers = sources.filter((file) => file.text.includes('getConfiguration('));
    expect(readers.map((file) => file.path)).toEqual(['src/host/config.ts']);
  });
  it('have a description, a scope and an order of their own', () => {
    const orders = Object.values(properties).map((item) => object(item).order);
    expect(new Set(orders).size).toBe(orders.length);
    for (const item of Object.values(properties).map(object)) {
      expect(shown(item.markdownDescription)).not.toBe('');
      expect(['window', 'resource', 'machine', 'machine-overridable', 'application', 'language-overridable']).toContain(
        item.scope,
      );
      expect(typeof item.order).toBe('number');
    }
  });
});

describe('activation', () => {
  it('waits for our own things, and for jsonl', () => {
    const events = asArray(manifest.activationEvents).map((event) => text(event));
    for (const scheme of ['rollout', 'rollout-branch']) expect(events).toContain(`onFileSystem:${scheme}`);
    expect(events).toContain('onWebviewPanel:rolloutLens.charts');
    for (const event of events)
      expect(event).toMatch(
        /^(onFileSystem:rollout(-branch)?|onWebviewPanel:rolloutLens\.\w+|onLanguage:jsonl|onUri)$/,
      );
  });
  it('says what it needs of a workspace', () => {
    const capabilities = object(manifest.capabilities);
    const untrusted = object(capabilities.untrustedWorkspaces);
    expect(untrusted.supported).toBe('limited');
    // A path to run, a model to load, an address to ask or how much of a machine to take is the machine's, and not a
    // workspace's.
    const ofMachine = Object.entries(properties).filter(([, item]) => object(item).scope === 'machine');
    expect(ofMachine.length).toBeGreaterThan(5);
    expect([...asArray(untrusted.restrictedConfigurations)].sort()).toEqual(ofMachine.map(([key]) => key).sort());
    expect(object(capabilities.virtualWorkspaces).supported).toBe('limited');
    for (const item of Object.values(capabilities).map(object)) expect(shown(item.description)).not.toBe('');
    expect(manifest.extensionKind).toEqual(['workspace']);
    expect(manifest.extensionDependencies).toBeUndefined();
    expect(manifest.enabledApiProposals).toBeUndefined();
  });
  it('is built against the oldest VS Code it runs in', () => {
    const types = text(object(manifest.devDependencies)['@types/vscode']).split('.').slice(0, 2);
    expect(text(object(manifest.engines).vscode)).toBe(`^${types.join('.')}.0`);
  });
  it('starts no engine: nothing is asked in activate itself', () => {
    expect(sources.find((file) => file.path === 'src/extension.ts')?.text).not.toMatch(/engine\.|await|search\(/);
  });
});

describe('views', () => {
  it('are one container of at most five', () => {
    expect(asArray(object(contributes.viewsContainers).activitybar)).toHaveLength(1);
    expect(asArray(object(contributes.views).rolloutLens).length).toBeLessThanOrEqual(5);
  });
  it('have an icon of 24×24 in one colour', () => {
    const icon = read(text(objects(object(contributes.viewsContainers).activitybar)[0]?.icon));
    expect(icon).toMatch(/width="24" height="24" viewBox="0 0 24 24"/);
    expect(matches(/(?:fill|stroke)="([^"]+)"/g, icon)).toEqual(['currentColor', 'none']);
  });
  it('use colours and icons of the theme only', () => {
    const views = sources.filter((file) => file.path.startsWith('src/views/'));
    for (const file of views) {
      expect(file.text, file.path).not.toMatch(/#[0-9a-f]{6}\b|rgba?\(/i);
      expect(file.text, file.path).not.toMatch(/iconPath\s*[=:](?! icon\b| new vscode\.ThemeIcon)/);
    }
  });
  it('put one item into the status bar, at the right, with tooltip and command', () => {
    expect(code.match(/createStatusBarItem\(/g)).toHaveLength(1);
    expect(code).toMatch(/StatusBarAlignment\.Right/);
    expect(code).toMatch(/item\.tooltip = /);
    expect(code).toMatch(/item\.command = /);
    expect(code).not.toMatch(/item\.backgroundColor/);
  });
  it('keep no hidden webview and trust no Markdown of a log', () => {
    expect(code).not.toMatch(/retainContextWhenHidden:\s*true|isTrusted\s*[=:]\s*true|supportHtml\s*[=:]\s*true/);
  });
});

describe('walkthrough', () => {
  it('is one of 3 to 6 steps, each with an action that completes it', () => {
    expect(walkthroughs).toHaveLength(1);
    const steps = objects(walkthroughs[0]?.steps);
    expect(steps.length).toBeGreaterThanOrEqual(3);
    expect(steps.length).toBeLessThanOrEqual(6);
    for (const step of steps) {
      const [event] = asArray(step.completionEvents);
      expect(shown(step.description)).toContain(`](${text(event).replace('onCommand:', 'command:')})`);
    }
    expect(shown(steps[0]?.description)).toContain('command:rolloutLens.openSampleRun');
  });
  it('has pictures in colours of the theme, with a text for each', () => {
    for (const step of objects(walkthroughs[0]?.steps)) {
      const media = object(step.media);
      const picture = read(text(media.svg));
      expect(shown(media.altText).length).toBeGreaterThan(20);
      expect(picture).toContain('var(--vscode-');
      // Literal colours appear as fallbacks only.
      expect(picture.replace(/var\([^)]*\)/g, '')).not.toMatch(/#[0-9a-f]{3,8}\b/i);
    }
  });
});

describe('Marketplace', () => {
  it('has an icon of at least 128×128 as PNG', () => {
    const icon = readFileSync(path.join(root, text(manifest.icon)));
    expect(icon.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
    expect(icon.readUInt32BE(16)).toBeGreaterThanOrEqual(128);
    expect(icon.readUInt32BE(16)).toBe(icon.readUInt32BE(20));
  });
  it('has banner, licence, change log and addresses', () => {
    expect(object(manifest.galleryBanner)).toMatchObject({
      color: expect.stringMatching(/^#[0-9a-f]{6}$/),
      theme: 'dark',
    });
    for (const name of ['LICENSE', 'CHANGELOG.md', 'README.md'])
      expect(existsSync(path.join(root, name)), name).toBe(true);
    for (const value of [object(manifest.repository).url, object(manifest.bugs).url, manifest.qna]) {
      expect(text(value)).toMatch(/^https:\/\/github\.com\//);
    }
    expect(manifest.license).toBe('MIT');
  });
  it('has categories of the list, at most 30 keywords, and a plain version', () => {
    const allowed = ['Machine Learning', 'Data Science', 'Visualization'];
    for (const category of asArray(manifest.categories)) expect(allowed).toContain(category);
    expect(asArray(manifest.keywords).length).toBeLessThanOrEqual(30);
    expect(text(manifest.version)).toMatch(/^\d+\.\d+\.\d+$/);
    expect(text(manifest.name)).toMatch(/^[a-z][a-z-]+$/);
  });
  it('has a README whose pictures have a text, are no SVG, and that says what leaves the machine', () => {
    const readme = read('README.md');
    for (const [, alt = '', address = ''] of readme.matchAll(/!\[([^\]]*)\]\(([^)]+)\)/g)) {
      expect(alt).not.toBe('');
      expect(address).not.toMatch(/\.svg$|^http:/);
      if (!address.startsWith('https:')) expect(existsSync(path.join(root, address)), address).toBe(true);
    }
    expect(readme).toMatch(/no telemetry/i);
    expect(readme).toContain('npm ci && npm start');
    expect(readme).toContain('npm ci && npm test');
    for (const id of declared.filter((command) => !hidden.includes(command))) {
      const title = shown(`%command.${id.replace('rolloutLens.', '')}%`);
      expect(readme, id).toContain(title);
    }
  });
});
