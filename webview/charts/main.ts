/**
 * The charts page: which runs are shown, the shared cursor, and the figures of all.ts one below the other.
 * Holds only per-step curves (a few KB a run); everything else stays in the engine. Restored from its saved run ids.
 */
import { countText } from '../../src/base/numberText.ts';
import type { ChartRun, ChartRuns, ChartsEvents, ChartsHostApi } from '../../src/protocol/charts.ts';
import type { RunCurves, RunId } from '../../src/protocol/engine.ts';
import { openConnection } from '../../src/protocol/rpc.ts';
import { progress, registerControls } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { connectHost } from '../ui/host.ts';
import { onThemeChange } from '../ui/theme.ts';
import { charts } from './all.ts';
import type { Series, StepChart } from './chart.ts';
import './charts.css';
import { shownRuns, ticked, type Choice } from './choice.ts';
import type { Cursor } from './cursor.ts';
import { makeFigure } from './figure.ts';
import { makeLegend, runColour } from './legend.ts';
import { savedState, toSave, type PageState } from './pageState.ts';
import { summarise } from './summary.ts';

/** A screen reader hears of live changes at most this often. */
const announceMs = 5_000;

registerControls();
const host = connectHost();
const connection = openConnection(host.port);
const api = connection.client<ChartsHostApi>();

let runs: readonly ChartRun[] = [];
let searching = true;
let state = savedState(host.saved);
let shown: ReadonlySet<RunId> = new Set();
const curves = new Map<RunId, RunCurves>();

const summary = element('p', { class: 'summary' });
const announcer = element('p', { class: 'announcer', role: 'status' });
const problem = element('p', { class: 'problem', role: 'alert', hidden: true });
const legend = makeLegend((run, checked) => {
  choose(ticked(state.choice, runs, { run, shown: checked }));
});
const readout = element('p', { class: 'readout', 'aria-hidden': 'true' });
const figures = charts.map((chart) => ({
  chart,
  figure: makeFigure(
    chart,
    {
      onCursor: setCursor,
      onOpen: (cursor) => void api.revealStep(cursor).catch(showError),
      onExport: (name, text) => void api.save({ name, text }).catch(showError),
      onView: (view) => {
        keep({ views: { ...state.views, [chart.id]: view } });
      },
    },
    state.views[chart.id] ?? { table: false, about: false },
  ),
}));
const page = element(
  'main',
  {},
  figures.map(({ figure }) => figure.node),
);
document.body.append(
  element('header', { class: 'top' }, [element('h1', {}, ['Charts']), legend.node, readout]),
  problem,
  summary,
  announcer,
  page,
);

function showError(error: unknown): void {
  problem.textContent = error instanceof Error ? error.message : String(error);
  problem.hidden = false;
}

function keep(change: Partial<PageState>): void {
  state = { ...state, ...change };
  host.save(toSave(state));
}

function setCursor(cursor: Cursor): void {
  if (cursor.run === state.cursor?.run && cursor.step === state.cursor.step) return;
  keep({ cursor });
  showCursor();
}

function showCursor(): void {
  const { cursor } = state;
  for (const { figure } of figures) figure.setCursor(cursor);
  readout.textContent = cursor ? describe(cursor) : '';
}

function describe(cursor: Cursor): string {
  const run = runs.find(({ id }) => id === cursor.run);
  const curve = curves.get(cursor.run);
  const index = curve?.step.indexOf(cursor.step) ?? -1;
  if (!run || !curve || index < 0) return '';
  const values = charts.map(
    (chart) => `${chart.title.toLowerCase()} ${chart.format(chart.values(curve)[index] ?? NaN)}`,
  );
  return `${run.name} · step ${cursor.step} · ${countText(curve.rollouts[index] ?? 0)} rollouts · ${values.join(' · ')}`;
}

function seriesOf(chart: StepChart): Series[] {
  return runs.flatMap((run) => {
    const curve = curves.get(run.id);
    if (!shown.has(run.id) || !curve || curve.step.length === 0) return [];
    const { id, name, colour } = run;
    return [{ run: id, name, colour: runColour(colour), style: colour, step: curve.step, value: chart.values(curve) }];
  });
}

function drawCharts(): void {
  const drawn = [...shown].flatMap((run) => {
    const step = curves.get(run)?.step;
    return step && step.length > 0 ? [step] : [];
  });
  const first = Math.min(...drawn.map((step) => step[0] ?? Infinity));
  const last = Math.max(...drawn.map((step) => step.at(-1) ?? -Infinity));
  page.hidden = drawn.length === 0;
  if (drawn.length > 0) for (const { chart, figure } of figures) figure.draw(seriesOf(chart), [first, last]);
  showCursor();
  drawSummary();
}

function drawSummary(): void {
  const [text, busy] = summaryText();
  if (summary.textContent !== `${text}${busy ? ` ${reading}` : ''}`) {
    summary.replaceChildren(text, ...(busy ? [' ', progress(reading)] : []));
  }
  announceSoon(text);
}

const reading = 'reading…';

function summaryText(): readonly [text: string, busy: boolean] {
  if (runs.length === 0) {
    if (searching) return ['', true];
    return ['No run is open. Use “Rollout Lens: Open Run…” or “Open the Sample Run” in the command palette.', false];
  }
  const shownNow = runs.filter((run) => shown.has(run.id));
  const waiting = searching || shownNow.some((run) => run.indexing || !curves.has(run.id));
  if (shownNow.length === 0) return searching ? ['', true] : ['Choose a run above.', false];
  const sentences = shownNow.flatMap((run) => {
    const curve = curves.get(run.id);
    const noSteps = run.hasSteps ? '' : ' Its log names no training steps, so it is shown as one.';
    const noRewards =
      run.hasRewards || run.indexing
        ? ''
        : ' This log has no rewards: nothing in it says which rollouts are right, and there are no advantages.';
    return curve ? [`${summarise(run.name, curve)}${noSteps}${noRewards}`] : [];
  });
  // A number and its unit stay on one line.
  return [sentences.join('\n').replaceAll(' %', '\u00a0%'), waiting];
}

let announced = '';
let announcing: ReturnType<typeof setTimeout> | null = null;

/** The first text at once, later ones when the last is some seconds old. */
function announceSoon(text: string): void {
  if (text === announced || announcing !== null) return;
  announcer.textContent = announced = text;
  announcing = setTimeout(() => {
    announcing = null;
    announceSoon(summaryText()[0]);
  }, announceMs);
}

function choose(next: Choice): void {
  keep({ choice: next });
  setShown();
}

/** Follows a change of the choice or of the runs. */
function setShown(): void {
  shown = shownRuns(state.choice, runs);
  legend.update(runs, shown);
  drawCharts();
  void load([...shown].filter((id) => !curves.has(id)));
}

/** Fetches curves; a failed run leaves the others as they are. */
async function load(ids: readonly RunId[]): Promise<void> {
  if (ids.length === 0) return;
  await Promise.all(
    ids.map(async (run) => {
      try {
        curves.set(run, await api.curves({ run }));
        problem.hidden = true;
      } catch (error) {
        showError(error);
      }
    }),
  );
  drawCharts();
}

function setRuns(next: ChartRuns): void {
  ({ runs, searching } = next);
  setShown();
}

connection.on<ChartsEvents>({
  runsChanged: setRuns,
  curvesChanged: ({ run }) => {
    if (shown.has(run)) void load([run]);
    else curves.delete(run);
  },
  runAsked: ({ run }) => {
    choose(ticked(state.choice, runs, { run, shown: true }));
  },
});

async function start(): Promise<void> {
  drawSummary();
  const { asked, ...answer } = await api.runs({});
  if (asked.length > 0) choose(new Set([...(state.choice ?? []), ...asked]));
  setRuns(answer);
}

let width = 0;
new ResizeObserver(() => {
  if (page.clientWidth === width || page.clientWidth === 0) return;
  width = page.clientWidth;
  drawCharts();
}).observe(page);
onThemeChange(drawCharts);
start().catch(showError);
