/**
 * The Curate page: which runs, which stage and settings; asks the engine for the funnel while they move and for the rows
 * of the bar that was chosen. Restored from its saved state. Ties the parts together; each part draws itself.
 * Leaves out counting, judging, writing and dialogs.
 */
import { isAbort, UserError } from '../../src/base/errors.ts';
import { curateTexts as texts, generatedText, verdictText } from '../../src/protocol/curateTexts.ts';
import type {
  CurateEvents,
  CurateHostApi,
  CurateProgress,
  CurateQuestion,
  CurateRuns,
} from '../../src/protocol/curatePage.ts';
import {
  defaultCuration,
  type CurationConfig,
  type CurationRow,
  type CurationStage,
  type Funnel,
  type JudgeAgreement,
} from '../../src/protocol/curation.ts';
import { openConnection } from '../../src/protocol/rpc.ts';
import { button, registerControls } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { connectHost } from '../ui/host.ts';
import './curate.css';
import { makeExportPart } from './exportPart.ts';
import { makeFilterControls } from './filterControls.ts';
import { makeFunnelFigure } from './funnelFigure.ts';
import { makeJudgePart } from './judgePart.ts';
import { makeLatest } from './latest.ts';
import { savedPage, withConfig, type PageState, type RowList } from './pageState.ts';
import { makeRowList, type Verdict } from './rowList.ts';
import { makeRowPages } from './rowPages.ts';
import { makeStanding } from './standing.ts';
import { makeVerdictStack } from './verdictStack.ts';

registerControls();
const host = connectHost();
const connection = openConnection(host.port);
const api = connection.client<CurateHostApi>();

const movingMs = 120;
/** Rollouts that are being read change the counts at most this often. */
const rereadMs = 1_500;

let state: PageState = savedPage(host.saved);
let open: Omit<CurateRuns, 'asked'> = { runs: [], searching: true, working: null };
/** Runs whose texts were read, as one word; '' for none. */
let prepared = '';
let reading: AbortController | null = null;
let shownFunnel: Funnel | null = null;
let busy = false;
/** Rollouts changed while they were counted. */
let outdated = false;

const keep = (change: Partial<PageState>): void => {
  state = { ...state, ...change };
  host.save(state);
};
/** The chosen runs that are open. */
const chosen = () => open.runs.filter(({ id }) => state.runs.includes(id));
const question = (): CurateQuestion => ({ runs: chosen().map(({ id }) => id), config: state.config });

const standing = makeStanding({
  onChoose: () => {
    attempt(async () => {
      const runs = await api.chooseRuns({ chosen: chosen().map(({ id }) => id) });
      if (runs !== null) show(runs);
    });
  },
  onOpen: () => {
    attempt(() => api.run({ command: 'open a run' }));
  },
  onCancel: (what) => {
    if (what === 'reading') reading?.abort();
    else attempt(() => api.cancel({ what }));
  },
  onAgain: () => {
    renew();
  },
});
const attempt = (work: () => Promise<unknown>): void => {
  standing.setProblem(null);
  work().catch(showError);
};
function showError(error: unknown): void {
  if (isAbort(error)) return;
  const action = error instanceof UserError && error.action !== null ? ` ${error.action}` : '';
  standing.setProblem(`${error instanceof Error ? error.message : String(error)}${action}`);
}

const filters = makeFilterControls({
  onConfig: (config) => {
    setConfig(config);
  },
  onGenerate: () => {
    attempt(generate);
  },
  onOpenBase: () => {
    attempt(async () => {
      const run = await api.openBase({});
      if (run === null) return;
      if (!open.runs.some(({ id }) => id === run.id)) open = { ...open, runs: [...open.runs, run] };
      replaceConfig({ ...state.config, toolFreeFrom: { kind: 'run', run: run.id } });
    });
  },
});
const generate = async (): Promise<void> => {
  const outcome = await api.generate(question());
  if (outcome === null) return;
  standing.say(generatedText(outcome));
  counting.now();
};
const funnel = makeFunnelFigure(state.view, {
  onList: (list) => {
    showList(list, 0);
    rows.node.scrollIntoView({ block: 'nearest' });
  },
  onView: (view) => {
    keep({ view });
  },
});
const pages = makeRowPages({
  ask: (first, count, signal) => {
    const filter = state.list === 'kept' ? null : state.list;
    return api.curationRows({ ...question(), filter, first, count }, signal);
  },
  onRows: () => {
    rows.filled();
  },
  onError: showError,
});
const verdicts = makeVerdictStack({
  overrule: (key, verdict) => api.overrule({ key, verdict }),
  onDone: (verdict, asked) => {
    showVerdict(verdictText(verdict, asked));
    counting.now();
  },
});
const setVerdict = (row: CurationRow, verdict: Verdict): void => {
  attempt(() => verdicts.set(row, verdict));
};
const said = element('span', { class: 'said', role: 'status' });
const undo = button({
  label: texts.undo,
  title: texts.undoTitle,
  onClick: () => {
    undoLast();
    // The button goes with the last verdict.
    rows.focus();
  },
});
const rows = makeRowList({
  pages,
  status: element('div', { class: 'line verdict' }, [said, undo]),
  onOpen: ({ ref }) => {
    attempt(() => api.openRollout({ ref }));
  },
  onVerdict: setVerdict,
  onAt: (at) => {
    keep({ at });
  },
});
const undoLast = (): void => {
  attempt(() => verdicts.undo());
};
const showVerdict = (sentence: string): void => {
  said.textContent = sentence;
  undo.hidden = verdicts.count() === 0;
};
showVerdict('');
const judge = makeJudgePart({
  api,
  chosen: state.judge,
  onChoose: (id) => {
    keep({ judge: id });
  },
  onAsk: async (id) => {
    standing.setProblem(null);
    const outcome = await api.judge({ ...question(), judge: id });
    counting.now();
    return outcome;
  },
  onError: showError,
});
const exporting = makeExportPart({
  onTarget: (target) => {
    keep({ target });
  },
  onExport: async (target) => {
    standing.setProblem(null);
    await api.exportRows({ ...question(), target });
  },
  onError: showError,
});

/** Funnel and agreement, latest settings only. */
const counting = makeLatest<{ readonly funnel: Funnel; readonly agreement: JudgeAgreement | null }>({
  delayMs: movingMs,
  ask: async (signal) => {
    const asked = question();
    await prepare(asked, signal);
    const counted = await api.funnel(asked, signal);
    const agreement = await api.judgeAgreement(asked, signal).catch(() => null);
    return { funnel: counted, agreement };
  },
  onAnswer: ({ funnel: counted, agreement }) => {
    shownFunnel = counted;
    standing.setProblem(null);
    funnel.update(counted, state.config);
    filters.update(counted);
    judge.setAgreement(agreement);
    content.hidden = false;
    if (state.list !== null) pages.renew();
  },
  onError: (error) => {
    if (isAbort(error)) standing.setStopped();
    else showError(error);
  },
  onBusy: (asking) => {
    busy = asking;
    if (!busy && outdated) reread();
    funnel.setBusy(busy);
    standing.setCounting(busy && shownFunnel === null);
  },
});

/** Has the engine read what the index lacks, once for these runs and whenever they changed. */
async function prepare({ runs }: CurateQuestion, signal: AbortSignal): Promise<void> {
  const wanted = runs.join(' ');
  if (prepared === wanted) return;
  const mine = new AbortController();
  reading = mine;
  standing.setWork({ what: 'reading', done: 0, of: 0 });
  try {
    await api.prepareCuration({ runs }, AbortSignal.any([signal, mine.signal]));
    prepared = wanted;
  } finally {
    if (reading === mine) {
      reading = null;
      standing.endWork('reading');
    }
  }
}

const stages = (['sft', 'rl'] as const).map((stage) => {
  const input = element('input', { type: 'radio', name: 'stage', value: stage });
  input.addEventListener('change', () => {
    replaceConfig({ ...state.config, stage });
  });
  return { stage, input, label: element('label', { class: 'stage' }, [input, texts.stages[stage]]) };
});
const showStage = (shown: CurationStage): void => {
  for (const { stage, input } of stages) input.checked = stage === shown;
};

const configActions = element('div', { class: 'actions' }, [
  button({
    label: texts.reset,
    title: texts.resetTitle,
    onClick: () => {
      replaceConfig({ ...defaultCuration, stage: state.config.stage });
    },
  }),
  button({
    label: texts.importConfig,
    title: texts.importConfigTitle,
    onClick: () => {
      attempt(async () => {
        const config = await api.importConfig({});
        if (config === null) return;
        replaceConfig(config);
        standing.say(texts.configRead);
      });
    },
  }),
  button({
    label: texts.exportConfig,
    title: texts.exportConfigTitle,
    onClick: () => {
      attempt(async () => {
        if (await api.exportConfig({ config: state.config })) standing.say(texts.configWritten);
      });
    },
  }),
]);
const content = element('main', { hidden: true }, [
  element('div', { class: 'results' }, [funnel.node, rows.node]),
  element('div', { class: 'settings' }, [
    element('section', { class: 'part', 'aria-label': texts.filters }, [
      element('h2', {}, [texts.filters]),
      filters.node,
      configActions,
    ]),
    judge.node,
    exporting.node,
  ]),
]);
document.body.append(
  element('header', { class: 'top' }, [
    element('h1', {}, [texts.title]),
    standing.node,
    element('fieldset', { class: 'stages' }, [
      element('legend', {}, [texts.stage]),
      ...stages.map(({ label }) => label),
    ]),
  ]),
  content,
);
document.addEventListener('keydown', (event) => {
  const typing = event.target instanceof HTMLElement && event.target.closest('input, textarea, select') !== null;
  if (typing || event.key !== 'z' || event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  undoLast();
});

/** Settings that a control moved: the controls already show them. */
function setConfig(config: CurationConfig): void {
  keep(withConfig(state, config));
  judge.setConfig(config);
  counting.soon();
}

/** Settings from elsewhere: everything is drawn for them. */
function replaceConfig(config: CurationConfig): void {
  const stageChanged = config.stage !== state.config.stage;
  keep(withConfig(state, config));
  drawConfig();
  if (stageChanged) showList(state.list, state.at);
  counting.now();
}

function drawConfig(): void {
  showStage(state.config.stage);
  filters.reset(state.config, open.runs);
  judge.setConfig(state.config);
  exporting.reset(state.config.stage, state.target);
  if (shownFunnel?.stage === state.config.stage) filters.update(shownFunnel);
}

function showList(list: RowList | null, at: number): void {
  keep({ list, at });
  funnel.mark(list);
  pages.clear();
  rows.show(list, state.config.stage, at);
  if (list !== null) pages.want(at, at + 1);
}

/** Curates these runs. */
function show(runs: PageState['runs']): void {
  keep({ runs, at: 0 });
  shownFunnel = null;
  verdicts.clear();
  showVerdict('');
  drawRuns();
  renew();
}

/** Counts anew from what the engine reads now. */
function renew(): void {
  prepared = '';
  standing.setProblem(null);
  if (chosen().length === 0) {
    counting.stop();
    content.hidden = true;
    return;
  }
  counting.now();
  if (state.list !== null && shownFunnel === null) showList(state.list, state.at);
}

let known = '';
function drawRuns(): void {
  standing.setRuns(open, state.runs, chosen());
  const names = open.runs.map(({ id, name }) => `${id} ${name}`).join('\n');
  if (names === known) return;
  known = names;
  // The list of base-model logs names the open runs.
  filters.reset(state.config, open.runs);
  if (shownFunnel) filters.update(shownFunnel);
}

function setOpen(next: Omit<CurateRuns, 'asked'>): void {
  const before = question().runs.join(' ');
  open = next;
  drawRuns();
  if (question().runs.join(' ') !== before) renew();
}

let rereading: ReturnType<typeof setTimeout> | null = null;
/** Counts anew in a while; not while something is counted, since a live run would take each question back. */
function reread(): void {
  rereading ??= setTimeout(() => {
    rereading = null;
    outdated = busy;
    if (busy) return;
    prepared = '';
    counting.now();
  }, rereadMs);
}
connection.on<CurateEvents>({
  runsChanged: setOpen,
  runsAsked: ({ runs }) => {
    show(runs);
  },
  rowsChanged: ({ run }) => {
    if (!chosen().some(({ id }) => id === run)) return;
    reread();
  },
  progress: (progress: CurateProgress) => {
    if (progress.what !== 'reading' || reading !== null) standing.setWork(progress);
  },
  ended: ({ what }) => {
    standing.endWork(what);
  },
  judgesChanged: () => {
    judge.renew();
  },
});

async function begin(): Promise<void> {
  const { asked, ...found } = await api.runs({});
  open = found;
  if (found.working) standing.setWork(found.working);
  if (asked !== null) keep({ runs: asked });
  drawConfig();
  drawRuns();
  funnel.mark(state.list);
  judge.renew();
  renew();
}

begin().catch(showError);
