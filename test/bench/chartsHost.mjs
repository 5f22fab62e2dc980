// The charts page in headless Chromium without VS Code: the bundle as it ships, a host that answers from columns made in
// the page, and the theme's variables. For benches and pictures; what is real is everything from the columns on.
// Leaves out the engine and the extension host (test/vscode has them).
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

/** Chart colours and the like of VS Code's four default themes, as far as the page uses them. */
export const themes = {
  dark: {
    kind: 'vscode-dark',
    foreground: '#cccccc',
    descriptionForeground: '#9d9d9d',
    'editor-background': '#1f1f1f',
    'panel-border': '#2b2b2b',
    focusBorder: '#0078d4',
    'charts-blue': '#3794ff',
    'charts-orange': '#d18616',
    'charts-green': '#89d185',
    'charts-red': '#f14c4c',
    'charts-purple': '#b180d7',
    'charts-yellow': '#cca700',
    'textLink-foreground': '#4daafc',
    'button-background': '#0078d4',
    'button-foreground': '#ffffff',
    'button-secondaryBackground': '#313131',
    'button-secondaryForeground': '#cccccc',
    'input-background': '#313131',
    'input-foreground': '#cccccc',
    'list-hoverBackground': '#2a2d2e',
    'list-activeSelectionBackground': '#04395e',
    'list-activeSelectionForeground': '#ffffff',
  },
  light: {
    kind: 'vscode-light',
    foreground: '#3b3b3b',
    descriptionForeground: '#3b3b3b',
    'editor-background': '#ffffff',
    'panel-border': '#e5e5e5',
    focusBorder: '#005fb8',
    'charts-blue': '#0063d3',
    'charts-orange': '#d18616',
    'charts-green': '#388a34',
    'charts-red': '#e51400',
    'charts-purple': '#652d90',
    'charts-yellow': '#bf8803',
    'textLink-foreground': '#005fb8',
    'button-background': '#005fb8',
    'button-foreground': '#ffffff',
    'button-secondaryBackground': '#e5e5e5',
    'button-secondaryForeground': '#3b3b3b',
    'input-background': '#ffffff',
    'input-foreground': '#3b3b3b',
    'list-hoverBackground': '#f2f2f2',
    'list-activeSelectionBackground': '#e8e8e8',
    'list-activeSelectionForeground': '#000000',
  },
};

/** Opens the page with a run of so many rollouts; answers `{ browser, page }`. */
export async function openCharts({ root, rollouts, steps, runs = 1, theme = 'dark', width = 1300, height = 900 }) {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'];
  const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args });
  const page = await browser.newPage({ viewport: { width, height } });
  const [script, css] = await Promise.all([
    readFile(join(root, 'dist', 'charts.js'), 'utf8'),
    readFile(join(root, 'dist', 'charts.css'), 'utf8'),
  ]);
  const { kind, ...colours } = themes[theme];
  const variables = Object.entries(colours).map(([name, value]) => `--vscode-${name}: ${value};`);
  const fonts = '--vscode-font-family: system-ui, sans-serif; --vscode-font-size: 13px;';
  await page.setContent(
    `<!DOCTYPE html><html><head><title>charts</title><style>html{${variables.join('')}${fonts}}</style><style>${css}</style></head><body class="${kind}"></body></html>`,
  );
  await page.evaluate(hostInPage, { rollouts, steps, runs });
  await page.addScriptTag({ content: script });
  return { browser, page };
}

/** Runs in the page: a host with one run, seeded. */
function hostInPage({ rollouts, steps, runs }) {
  let seed = 7;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const size = 16;
  const perStep = Math.floor(rollouts / steps / size) * size;
  const total = perStep * steps;
  const columns = {
    key: new Float64Array(total),
    step: new Int32Array(total),
    group: new Uint32Array(total),
    prompt: new Uint32Array(total),
    correct: new Uint8Array(total),
    calls: new Uint16Array(total),
    failedCalls: new Uint16Array(total),
    redundantCalls: new Uint16Array(total),
    accReward: new Float32Array(total),
    accAdvantage: new Float32Array(total),
    toolAdvantage: new Float32Array(total),
    loggedAdvantage: new Float32Array(total).fill(NaN),
    length: new Float32Array(total),
    masked: new Uint8Array(total),
    truncated: new Uint8Array(total),
  };
  const curve = () => new Float64Array(steps).fill(NaN);
  const curves = {
    run: 'a',
    step: Int32Array.from({ length: steps }, (_, k) => k + 1),
    rollouts: new Uint32Array(steps).fill(perStep),
  };
  for (const name of [
    'accuracy',
    'reward',
    'toolRate',
    'calls',
    'redundant',
    'qualifyingShare',
    'signalShare',
    'effectiveToolWeight',
    'accAdvantage',
    'toolAdvantage',
    'deadRightShare',
    'deadWrongShare',
    'failedCalls',
    'responseTokens',
    'responseCharacters',
    'truncatedShare',
  ])
    curves[name] = curve();
  const normal = (values) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1));
    const equal = Math.max(...values) - Math.min(...values) <= 1e-6;
    return values.map((value) => (equal || values.length < 2 ? 0 : (value - mean) / (std + 1e-6)));
  };
  for (let k = 0; k < steps; k += 1) {
    const progress = k / Math.max(1, steps - 1);
    let right = 0;
    let used = 0;
    for (let first = k * perStep; first < (k + 1) * perStep; first += size) {
      const hard = random();
      for (let row = first; row < first + size; row += 1) {
        columns.key[row] = row;
        columns.step[row] = k + 1;
        columns.group[row] = row / size;
        columns.prompt[row] = (row / size) % 500;
        columns.correct[row] = random() < 0.3 + 0.6 * progress * (1 - hard) + 0.3 * (1 - hard) ? 1 : 0;
        columns.calls[row] = Math.floor(random() * (4 - 3 * progress));
        columns.redundantCalls[row] = random() < 0.1 ? 1 : 0;
        columns.accReward[row] = 0.9 * columns.correct[row] + (random() < 0.9 ? 0.1 : 0);
        columns.length[row] = 50 + Math.floor(400 * random() ** 2);
        right += columns.correct[row];
        used += columns.calls[row] > 0 ? 1 : 0;
      }
      const rows = Array.from({ length: size }, (_, index) => first + index);
      normal(rows.map((row) => columns.accReward[row])).forEach((value, index) => {
        columns.accAdvantage[first + index] = value;
      });
      const qualified = rows.filter((row) => columns.correct[row] === 1);
      if (qualified.length > 1) {
        normal(qualified.map((row) => 1 / (columns.calls[row] + 1))).forEach((value, index) => {
          columns.toolAdvantage[qualified[index]] = value;
        });
      }
    }
    curves.accuracy[k] = right / perStep;
    curves.toolRate[k] = used / perStep;
  }
  const run = {
    id: 'a',
    name: 'hdpo',
    producer: 'generated',
    colour: 0,
    rollouts: total,
    hasSteps: true,
    hasRewards: true,
    indexing: false,
  };
  const bytesOf = (names) => names.reduce((sum, name) => sum + columns[name].BYTES_PER_ELEMENT, 0);
  const questionOf = (row) => `question ${columns.prompt[row]}: what is 48 × 7?`;
  const membersOf = (group) => Array.from({ length: size }, (_, place) => group * size + place);
  const rowOf = (row) => ({
    ref: { run: 'a', file: 'f', row },
    step: columns.step[row],
    group: String(columns.group[row]),
    member: (row % size) + 1,
    groupSize: size,
    question: questionOf(row),
    reward: columns.accReward[row],
    correct: columns.correct[row] === 1,
    calls: columns.calls[row],
    redundantCalls: columns.redundantCalls[row],
    accReward: columns.accReward[row],
    toolReward: columns.correct[row] === 1 ? 1 / (columns.calls[row] + 1) : 0,
    accAdvantage: columns.accAdvantage[row],
    toolAdvantage: columns.toolAdvantage[row],
    loggedAdvantage: null,
    qualifies: columns.correct[row] === 1,
  });
  const sumsOf = (rows) => {
    const spread = (values) => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      return [mean, Math.sqrt(squares / Math.max(1, values.length - 1))];
    };
    const right = rows.filter((row) => columns.correct[row] === 1);
    const [accMean, accStd] = spread(rows.map((row) => columns.accReward[row]));
    const [toolMean, toolStd] = spread(right.map((row) => 1 / (columns.calls[row] + 1)));
    const qualifying = right.length;
    return { qualifying, accMean, accStd, toolMean, toolStd, accEqual: accStd === 0, toolEqual: !(toolStd > 0) };
  };
  const answers = {
    runs: () => ({
      runs: [run, { ...run, id: 'b', name: 'grpo', colour: 1 }].slice(0, runs),
      searching: false,
      asked: [],
      view: null,
    }),
    curves: (params) => ({ ...curves, run: params.run }),
    samples: ({ run: of, columns: names, first }) => {
      const rows = Math.min(total - first, Math.floor(900_000 / bytesOf(names)));
      const part = Object.fromEntries(names.map((name) => [name, columns[name].slice(first, first + rows)]));
      return { run: of, first, total, version: 1, lengthIsEstimate: false, columns: part };
    },
    rowsOf: ({ keys }) => [...keys].map(rowOf),
    promptKeys: ({ run: of, first }) => ({
      run: of,
      first,
      total: 500,
      version: 1,
      keys: Float64Array.from({ length: 500 - first }, (_, index) => first + index),
    }),
    groupOf: ({ key }) => {
      const rows = membersOf(Number(key));
      const sums = sumsOf(rows);
      return {
        run: 'a',
        step: columns.step[rows[0]],
        group: key,
        question: questionOf(rows[0]),
        size,
        ...sums,
        members: rows.map((row) => ({
          key: row,
          row: rowOf(row),
          answerReward: columns.correct[row],
          formatReward: 1,
          masked: false,
          push: 0,
        })),
      };
    },
    biography: ({ key, first }) => {
      const prompt = Number(key) % 500;
      const groups = Array.from({ length: total / size }, (_, group) => group).filter(
        (group) => group % 500 === prompt,
      );
      const rows = groups.slice(first, first + 500).map((group) => {
        const members = membersOf(group);
        return {
          step: columns.step[members[0]],
          group: String(group),
          size,
          correct: members.filter((row) => columns.correct[row] === 1).length,
          qualifying: members.filter((row) => columns.correct[row] === 1).length,
          callsMean: members.reduce((sum, row) => sum + columns.calls[row], 0) / size,
          rollouts: members.map((row) => ({ ...rowOf(row), key: row })),
        };
      });
      return { rows, total: groups.length };
    },
    explain: ({ ref }) => {
      const rows = membersOf(Math.floor(ref.row / size));
      const members = rows.map(rowOf);
      return {
        row: rowOf(ref.row),
        answerReward: columns.correct[ref.row],
        formatReward: 1,
        correctSource: 'as logged',
        ...sumsOf(rows),
        masked: false,
        members,
      };
    },
    rolloutText: ({ ref }) => {
      const calls = columns.calls[ref.row];
      const text = [`─── user`, `  ${questionOf(ref.row)}`, '─── policy 1', '  Let me see.'];
      const found = [];
      for (let call = 0; call < calls; call += 1) {
        found.push({ call, line: text.length, tool: 'python', latencyMs: 610, redundant: call > 0 ? ['repeat'] : [] });
        text.push(`  ▶ call ${call + 1}  python`, '      print(48 * 7)', '  ◀ 336');
      }
      const turns = [
        { line: 0, count: 2, label: 'user' },
        { line: 2, count: text.length - 2, label: 'policy 1' },
      ];
      return { text: text.join('\n'), cut: false, turns, calls: found };
    },
    openRollout: (params) => {
      window.opened = params;
      return null;
    },
    openCall: (params) => {
      window.opened = params;
      return null;
    },
    compareRollouts: (params) => {
      window.compared = params;
      return null;
    },
    save: (params) => {
      window.saved = params;
      return null;
    },
    revealStep: () => null,
    redundancyCurves: () => ({ run: 'a', step: curves.step, byRule: [], byTool: [] }),
    doctor: () => ({ run: 'a', findings: [] }),
  };
  window.acquireVsCodeApi = () => ({
    getState: () => window.kept,
    setState: (state) => {
      window.kept = JSON.parse(JSON.stringify(state));
    },
    postMessage: (message) => {
      if (message.id === undefined) return;
      const answer = answers[message.method];
      const reply = answer
        ? { jsonrpc: '2.0', id: message.id, result: answer(message.params) }
        : { jsonrpc: '2.0', id: message.id, error: { code: 4, message: `no ${message.method}` } };
      setTimeout(() => {
        window.dispatchEvent(new MessageEvent('message', { data: reply }));
      });
    },
  });
}
