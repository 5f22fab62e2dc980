/**
 * The charts page: which runs are shown, what is looked at (cursor, selection, weights), and the figures of all.ts.
 * Holds per-step curves (a few KB a run) and the columns that the charts in view need; everything else stays in the
 * engine. Restored from its saved state. Leaves out every chart, and what the figures do by themselves.
 */
import type { AskedView, ChartRun, ChartRuns, ChartsEvents, ChartsHostApi } from '../../src/protocol/charts.ts';
import type { RunCurves, RunId } from '../../src/protocol/engine.ts';
import { openConnection } from '../../src/protocol/rpc.ts';
import type { SampleColumn } from '../../src/protocol/samples.ts';
import { registerControls } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { connectHost } from '../ui/host.ts';
import { onThemeChange } from '../ui/theme.ts';
import { charts, groupCharts, panelCharts, sampleCharts, sections } from './all.ts';
import type { Series, StepChart } from './chart.ts';
import './charts.css';
import { shownRuns, ticked, type Choice } from './choice.ts';
import type { Cursor } from './cursor.ts';
import { makeDoctorNotes } from './doctorNotes.ts';
import { crumbsOf, drillBack, drillTo, narrowed, selectionIn, type Drill } from './drill.ts';
import { makeDrillPath } from './drillPath.ts';
import { makeFigure } from './figure.ts';
import type { ExportKind } from './figureHead.ts';
import { makeGroupLoader } from './groupLoader.ts';
import { makeLegend, runColour } from './legend.ts';
import { makePageHead } from './pageHead.ts';
import { listenForBack } from './pageKeys.ts';
import { makePageSummary } from './pageSummary.ts';
import { viewOf, withView } from './pageLink.ts';
import { makePagePanels } from './pagePanels.ts';
import { keepPlace } from './pagePlace.ts';
import { makePageWhy } from './pageWhy.ts';
import { savedState, toSave, type PageState } from './pageState.ts';
import { sharedSteps } from './xySteps.ts';
import type { PanelInput, PanelRun, Selection } from './panelChart.ts';
import { readoutText } from './readout.ts';
import { listColumnNames, makeSampleList } from './sampleList.ts';
import { makeSampleStore } from './samples.ts';
import { wholeRun } from './selection.ts';
import { makeWeightControls } from './weightControls.ts';

registerControls();
const host = connectHost();
const connection = openConnection(host.port);
const api = connection.client<ChartsHostApi>();
const store = makeSampleStore(api);

let runs: readonly ChartRun[] = [];
let searching = true;
let state = savedState(host.saved);
let shown: ReadonlySet<RunId> = new Set();
const curves = new Map<RunId, RunCurves>();
const noView = { table: false, about: false };

const pageSummary = makePageSummary();
const doctor = makeDoctorNotes(api, showError);
const why = makePageWhy({
  api,
  input: panelInput,
  openKey: (run, key) => {
    openKey(run, key).catch(showError);
  },
  goTo: (focus, selection) => {
    goTo(drillTo(state.drill, { focus, selection }));
  },
  onNeed: want,
  showError,
});
const groups = makeGroupLoader(api, {
  onChange: () => {
    showDrill();
    drawSoon();
  },
  onError: showError,
});
const problem = element('p', { class: 'problem', role: 'alert', hidden: true });
const legend = makeLegend((run, checked) => {
  choose(ticked(state.choice, runs, { run, shown: checked }));
});
const weights = makeWeightControls(state.weights, state.mode, {
  onWeights: (next) => {
    keep({ weights: next });
    panels.drawSoon('weighed');
  },
  onMode: (mode) => {
    keep({ mode });
    drawSoon();
  },
  onFocus: (focus) => {
    // Groups and regions are those of one run; its steps are all runs'.
    goTo(drillTo(state.drill, { focus, selection: { ...wholeRun, steps: state.drill.selection.steps } }));
  },
});
const path = makeDrillPath({
  onGo: (selection) => {
    goTo(drillTo(state.drill, { focus: focusOf(), selection }));
  },
  onBack: back,
});
const readout = element('p', { class: 'readout', 'aria-hidden': 'true' });

const figures = charts.map((chart) => ({
  chart,
  figure: makeFigure(
    chart,
    {
      onCursor: setCursor,
      onOpen: (cursor) => void api.revealStep(cursor).catch(showError),
      onBrush: (steps) => {
        select({ steps, region: null, part: null, group: null });
      },
      onExport: save,
      onView: (view) => {
        keep({ views: { ...state.views, [chart.id]: view } });
      },
      onWhy: why.onPoint(chart.made),
      onLeave: why.leaveWhy,
      onError: showError,
    },
    state.views[chart.id] ?? noView,
  ),
}));

let listSeen = false;
const panels = makePagePanels({
  charts: [...sampleCharts, ...groupCharts, ...panelCharts],
  context: {
    api,
    select,
    open,
    openKey: (run, key) => {
      openKey(run, key).catch(showError);
    },
    revealStep: (run, step) => void api.revealStep({ run, step }).catch(showError),
    whyStep: why.whyStep,
    showWhy: why.showWhy,
    leaveWhy: why.leaveWhy,
    explain: why.explanations.of,
    showError,
  },
  saved: ({ id }) => state.own[id],
  onSave: ({ id }, own) => {
    keep({ own: { ...state.own, [id]: own } });
  },
  view: ({ id }) => state.views[id] ?? noView,
  onView: ({ id }, view) => {
    keep({ views: { ...state.views, [id]: view } });
  },
  onCursor: setCursor,
  onExport: save,
  onSeen: want,
  onWhy: why.onSpot,
  onLeave: why.leaveWhy,
  onError: showError,
  input: () => (page.hidden ? null : panelInput()),
  onDrawn: (input) => {
    list.update(input, state.sort);
  },
});
const list = makeSampleList({
  api,
  select,
  open,
  showWhy: why.showWhy,
  leaveWhy: why.leaveWhy,
  showError,
  onSort: (sort) => {
    why.leaveWhy();
    keep({ sort });
    drawSoon();
  },
  onExport: (name, csv) => {
    save(name, 'csv', csv);
  },
  onSeen: () => {
    listSeen = true;
    want();
  },
});

const page = element('main', {}, [
  ...sampleCharts.map(panels.nodeOf),
  list.node,
  ...groupCharts.map(panels.nodeOf),
  ...figures.map(({ figure }) => figure.node),
  ...panelCharts.map(panels.nodeOf),
]);
document.body.append(
  makePageHead({ legend: legend.node, weights: weights.node, path: path.node, readout, sections }),
  problem,
  ...pageSummary.nodes,
  doctor.node,
  page,
  why.node,
);
keepPlace(page, state.place, keep);

function showError(error: unknown): void {
  problem.textContent = error instanceof Error ? error.message : String(error);
  problem.hidden = false;
}

function save(name: string, kind: ExportKind, content: string | Uint8Array): void {
  api.save({ name, kind, content }).catch(showError);
}

function keep(change: Partial<PageState>): void {
  state = { ...state, ...change };
  saveSoon();
}

let saving: ReturnType<typeof setTimeout> | null = null;

/** A slider changes the state each frame; the host hears of it ten times a second. */
function saveSoon(): void {
  saving ??= setTimeout(() => {
    saving = null;
    host.save(toSave(state));
  }, 100);
}

function setCursor(cursor: Cursor): void {
  if (cursor.run === state.cursor?.run && cursor.step === state.cursor.step) return;
  keep({ cursor });
  showCursor();
}

function showCursor(): void {
  const { cursor } = state;
  for (const { figure } of figures) figure.setCursor(cursor);
  panels.setCursor(cursor);
  const run = runs.find(({ id }) => id === cursor?.run);
  const curve = run && shown.has(run.id) ? curves.get(run.id) : undefined;
  readout.textContent =
    cursor && run && curve ? readoutText(charts, { name: run.name, curves: curve }, cursor.step) : '';
}

/** What is looked at of the focused run. */
function selectionNow(): Selection {
  return selectionIn(state.drill, focusOf());
}

function select(change: Partial<Selection>): void {
  goTo(drillTo(state.drill, { focus: focusOf(), selection: narrowed(selectionNow(), change) }));
}

function back(): void {
  goTo(drillBack(state.drill));
}

function goTo(drill: Drill): void {
  if (drill === state.drill) return;
  // What the card told of is somewhere else then, or gone.
  why.leaveWhy();
  keep({ drill });
  showDrill();
  want();
  drawSoon();
}

function showDrill(): void {
  const run = runs.find(({ id }) => id === focusOf());
  const selection = selectionNow();
  const { group: ordinal, rollout } = selection;
  const group = run && ordinal !== null ? groups.of(store.of(run.id), ordinal) : null;
  const names = {
    question: group?.question ?? null,
    step: group?.view?.step ?? null,
    rollout: rollout !== null && group?.view ? `rollout ${rollout} of ${group.view.size}` : null,
  };
  path.update(run ? crumbsOf(run.name, selection, names) : [], state.drill.before.length > 0);
  for (const { figure } of figures) figure.setBrush(selection.steps);
}

/** The run whose rollouts are shown: the chosen one while it is shown, else the first. */
function focusOf(): RunId | null {
  const { focus } = state.drill;
  const usable = runs.filter(({ id }) => shown.has(id) && (curves.get(id)?.step.length ?? 0) > 0);
  return usable.find(({ id }) => id === focus)?.id ?? usable[0]?.id ?? null;
}

/** A rollout of the focused run by its index in the samples. */
function open(index: number): void {
  const run = focusOf();
  const key = run === null ? undefined : store.of(run)?.columns.key?.[index];
  if (run !== null && key !== undefined) openKey(run, key).catch(showError);
}

async function openKey(run: RunId, key: number): Promise<void> {
  const [row] = await api.rowsOf({ run, keys: Float64Array.of(key) });
  if (!row) throw new Error('This rollout is no longer in the log.');
  await api.openRollout({ ref: row.ref });
}

/** Asks for the columns of the charts that have been in view. */
function want(): void {
  const focus = focusOf();
  const wanted = new Map<RunId, Set<SampleColumn>>();
  const add = (run: RunId, names: readonly SampleColumn[]): void => {
    if (names.length > 0) wanted.set(run, new Set([...(wanted.get(run) ?? []), ...names, 'key']));
  };
  panels.wantColumns(add, { focus, shown: [...shown].filter((run) => curves.has(run)) });
  why.wantColumns((run, names) => {
    if (shown.has(run)) add(run, names);
  });
  if (listSeen && focus !== null) add(focus, listColumnNames);
  // The path names the group, wherever the page is.
  if (selectionNow().group !== null && focus !== null) add(focus, ['key', 'group']);
  store.want(wanted);
}

function panelInput(): PanelInput {
  const all = runs.flatMap((run): PanelRun[] => {
    const curve = curves.get(run.id);
    if (!shown.has(run.id) || !curve || curve.step.length === 0) return [];
    const { id, name, colour } = run;
    return [{ id, name, colour: runColour(colour), style: colour, curves: curve, samples: store.of(id) }];
  });
  const focus = all.find(({ id }) => id === focusOf()) ?? null;
  const { weights: used, mode } = state;
  const selection = selectionNow();
  const group = focus && selection.group !== null ? groups.of(focus.samples, selection.group) : null;
  return {
    runs: all,
    focus,
    steps: sharedSteps([...shown].flatMap((id) => curves.get(id) ?? [])),
    selection,
    group,
    weights: used,
    mode,
  };
}

/** Draws all panels on the next frame. */
function drawSoon(): void {
  panels.drawSoon('all');
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
  const steps = sharedSteps([...shown].flatMap((id) => curves.get(id) ?? []));
  page.hidden = !Number.isFinite(steps[0]);
  if (!page.hidden) for (const { chart, figure } of figures) figure.draw(seriesOf(chart), steps);
  const usable = runs.filter(({ id }) => shown.has(id) && curves.has(id));
  weights.node.hidden = page.hidden;
  weights.setRuns(usable, focusOf());
  showDrill();
  want();
  drawSoon();
  showCursor();
  doctor.setRuns(usable);
  pageSummary.update({ runs, shown, searching, curves });
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
    store.changed(run);
    doctor.changed(run);
    why.explanations.changed(run);
    if (shown.has(run)) void load([run]);
    else curves.delete(run);
  },
  runAsked: ({ run }) => {
    choose(ticked(state.choice, runs, { run, shown: true }));
  },
  viewAsked: takeView,
  linkAsked: () => {
    const named = runs.filter(({ id }) => shown.has(id)).map(({ id }) => id);
    api.copyLink({ runs: named, view: viewOf(state, named) }).catch(showError);
  },
});
store.onChange(() => {
  why.renew();
  // The path names the group, which is known once its columns are.
  showDrill();
  drawSoon();
});
store.onError(showError);

listenForBack({ dismiss: why.dismiss, drill: () => state.drill, back });

/** Shows what a link asks for; Back leads to what was shown. */
function takeView({ runs: named, view }: AskedView): void {
  const before = state.own;
  keep(withView(state, named, view));
  panels.restore(before);
  weights.set(state.weights, state.mode);
  setShown();
}

async function start(): Promise<void> {
  pageSummary.update({ runs, shown, searching, curves });
  const { asked, view, ...answer } = await api.runs({});
  if (view) takeView(view);
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
