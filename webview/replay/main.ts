/**
 * The player's page: puts its parts together, holds where the replay stands, and turns keys, buttons and what the host
 * tells into one picture, drawn at most once a frame. Playback never starts by itself.
 * Leaves out each part (its own file) and everything that a model computes.
 */
import type { PlayerEpisode, PlayerEvents, PlayerHostApi, PlayerSide } from '../../src/protocol/player.ts';
import { playerTexts as texts } from '../../src/protocol/playerTexts.ts';
import type { Intervention } from '../../src/protocol/replay.ts';
import { openConnection } from '../../src/protocol/rpc.ts';
import { registerControls } from '../ui/controls.ts';
import { element } from '../ui/dom.ts';
import { connectHost } from '../ui/host.ts';
import { makeAsking, type Asking } from './asking.ts';
import { makeBranchSection } from './branchSection.ts';
import { curveNodes, siblingsPoint, type CurveData, type SidedPoint } from './decisionCurve.ts';
import { isForPlayer, moveOfKey } from './keys.ts';
import { modelNodes } from './modelBar.ts';
import { makeModelPane, type LiveSample } from './modelPane.ts';
import { makeNotice } from './notice.ts';
import { savedState } from './pageState.ts';
import {
  advance,
  atEnd,
  isDecision,
  moved,
  segmentOf,
  segmentsOf,
  type Move,
  type Playhead,
  type Segment,
} from './playhead.ts';
import { makeRecordedPane } from './recordedPane.ts';
import './replay.css';
import { isBeyond, scoringText } from './scoringText.ts';
import { makeTimeline, turnLabel } from './timeline.ts';
import { makeTransport } from './transport.ts';
import { verdictNodes } from './verdict.ts';

registerControls();
const host = connectHost();
const connection = openConnection(host.port);
const api = connection.client<PlayerHostApi>();

let page = savedState(host.saved);
let episode: PlayerEpisode | null = null;
let segments: readonly Segment[] = [];
let head: Playhead = { index: 0, part: 0 };
let playing = false;
let live: LiveSample[] = [];

const subtitle = element('p', { class: 'subtitle', role: 'status' }, [texts.reading]);
const notice = makeNotice();
const showError = notice.show;
const notes = element('ul', { class: 'notes subtitle' });
const models = { main: element('div', { class: 'row model' }), other: element('div', { class: 'row model' }) };
const scoringLine = element('p', { class: 'subtitle', role: 'status' });
const verdict = element('div', { class: 'verdict' });
const curve = element('figure', { class: 'curve' });
const branches = makeBranchSection(api, {
  goTo: (turn) => {
    stand(segmentOf(turn, null, segments));
  },
  failed: showError,
});

const transport = makeTransport({
  speed: page.speed,
  widthBy: page.widthBy,
  onMove: (move) => {
    go(move);
  },
  onPlay: () => {
    setPlaying(!playing);
  },
  onSpeed: (speed) => {
    page = { ...page, speed };
    keep();
  },
  onWidth: (widthBy) => {
    page = { ...page, widthBy };
    keep();
    timeline.setWidths(widthBy);
  },
});
const timeline = makeTimeline((index) => {
  stand(index);
});
const recorded = makeRecordedPane({
  measure: page.measure,
  onMeasure: (measure) => {
    page = { ...page, measure };
    keep();
    drawSoon();
  },
  onCall: (call) => {
    api.back({ turn: turnHere(), call }).catch(showError);
  },
  bytesOf: (params) => api.bytes(params),
});
const would = makeModelPane({
  estimate: (side) => {
    estimate(side);
  },
  branch: (intervention) => {
    branch(intervention);
  },
  gains: () => {
    notice.clear();
    asking.main
      .run(texts.gains, (signal) => api.gains({ side: 'main' }, signal))
      .then((gains) => {
        if (gains === null) return;
        asking.main.state.gains = gains;
        drawSoon();
      })
      .catch(showError);
  },
  cancel: () => {
    cancel();
  },
});

const asking: Readonly<Record<PlayerSide, Asking>> = { main: askingOf('main'), other: askingOf('other') };
const body = element('div', { hidden: true }, [
  transport.node,
  models.main,
  models.other,
  scoringLine,
  timeline.node,
  curve,
  verdict,
  element('div', { class: 'panes' }, [recorded.node, would.node]),
  branches.node,
]);
document.body.append(element('main', {}, [element('h1', {}, [texts.title]), subtitle, notes, notice.node, body]));

function askingOf(side: PlayerSide): Asking {
  return makeAsking(side, api, {
    changed: () => {
      drawSoon();
    },
    failed: showError,
  });
}

function keep(): void {
  host.save({ ...page, segment: head.index });
}

/** Turn at which the replay stands. */
function turnHere(): number {
  return segments[head.index]?.turn ?? 0;
}

// ---- moving

function stand(index: number, told: 'follow' | 'silent' = 'follow'): void {
  const before = segments[head.index];
  head = { index: Math.max(0, Math.min(segments.length - 1, index)), part: 0 };
  const here = segments[head.index];
  if (here !== before) notice.clear();
  if (told === 'follow' && here !== undefined && here !== before)
    api.follow({ turn: here.turn, call: here.call }).catch(showError);
  keep();
  drawSoon();
}

function go(move: Move): void {
  stand(moved(head, move, segments));
}

let frame = 0;
let clock = 0;

function setPlaying(next: boolean): void {
  if (segments.length === 0) return;
  if (next && atEnd(head, segments)) stand(0);
  playing = next;
  transport.setPlaying(playing);
  cancelAnimationFrame(frame);
  clock = performance.now();
  if (playing) frame = requestAnimationFrame(tick);
}

function tick(now: number): void {
  const seconds = ((now - clock) / 1000) * page.speed;
  clock = now;
  const before = head.index;
  head = advance(head, Math.max(0, seconds), { segments, widthBy: page.widthBy });
  if (head.index !== before) {
    const here = segments[head.index];
    if (here) api.follow({ turn: here.turn, call: here.call }).catch(showError);
    keep();
    drawSoon();
  } else timeline.setHead(head);
  if (atEnd(head, segments)) setPlaying(false);
  else if (playing) frame = requestAnimationFrame(tick);
}

// ---- asking

/** Why this turn's model cannot be asked; null where it can. A process that died starts again with the question. */
function whyNot(side: PlayerSide): string | null {
  const { model, tokens, running } = asking[side].state;
  const here = episode?.turns.find(({ turn }) => turn === turnHere());
  if (here === undefined || !isDecision(here)) return texts.notDecision;
  if (model.state === 'none') return texts.noModelYet;
  if (model.state !== 'ready' && model.state !== 'died') return texts.notReadyYet;
  if (isBeyond(tokens, here.turn)) return texts.beyondContext(tokens?.facts.total ?? 0);
  return running;
}

/** Whether a question may be asked now; says why not. What comes of it is brought into view. */
function mayAsk(side: PlayerSide): boolean {
  const reason = whyNot(side);
  if (reason === null) {
    notice.clear();
    would.node.scrollIntoView({ block: 'nearest' });
  } else notice.say(reason);
  return reason === null;
}

function estimate(side: PlayerSide): void {
  if (!mayAsk(side)) return;
  const turn = turnHere();
  asking[side]
    .run(texts.estimate(episode?.samples ?? 0), (signal) => api.estimate({ side, turn }, signal))
    .then((point) => {
      if (point === null) return;
      const { state } = asking[side];
      state.estimates = [...state.estimates.filter((one) => one.turn !== turn), point];
      drawSoon();
    })
    .catch(showError);
}

function branch(intervention: Intervention): void {
  if (!mayAsk('main')) return;
  const turn = turnHere();
  live = [];
  asking.main
    .run(texts.interventions(intervention), (signal) => api.branch({ side: 'main', turn, intervention }, signal))
    .then((made) => {
      live = [];
      drawSoon();
      if (made !== null) branches.add(made);
    })
    .catch(showError);
}

function cancel(): boolean {
  const busy = Object.values(asking).some(({ state, scoring }) => state.running !== null || scoring);
  for (const one of Object.values(asking)) one.cancel();
  return busy;
}

// ---- drawing

let drawing = 0;
function drawSoon(): void {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(draw);
}

function pointsOf(side: PlayerSide): readonly SidedPoint[] {
  const { decisions, estimates } = asking[side].state;
  const all = [...decisions, ...estimates];
  // Siblings are the log's, not a model's: they are shown once.
  return all.flatMap((point): readonly SidedPoint[] =>
    point.estimator === 'siblings' ? (side === 'main' ? [{ side: null, point }] : []) : [{ side, point }],
  );
}

function draw(): void {
  const shown = episode;
  if (shown === null) return;
  const turn = turnHere();
  const names = { main: asking.main.state.speaker, other: asking.other.state.speaker };
  const known = [...pointsOf('main'), ...pointsOf('other')];
  const points = known.some(({ side }) => side === null) ? known : [...siblingsPoint(shown), ...known];

  timeline.setHead(head);
  const place = segments[head.index];
  const turnNumber = shown.turns.findIndex((one) => one.turn === turn) + 1;
  transport.setPlace(
    place === undefined ? '' : `${texts.turnOf(turnNumber, shown.turns.length)} · ${turnLabel(shown, turn)}`,
  );
  drawModels();
  drawCurve({ episode: shown, points, names, turn });
  recorded.show({ episode: shown, turn, tokens: asking.main.state.tokens, measure: page.measure, model: names.main });
  would.show({
    episode: shown,
    turn,
    points,
    names,
    ready: /ready|died/.test(asking.main.state.model.state) && !isBeyond(asking.main.state.tokens, turn),
    otherReady: /ready|died/.test(asking.other.state.model.state),
    running: asking.main.state.running ?? asking.other.state.running,
    live,
    gains: asking.main.state.gains,
  });
}

/** A part that is drawn anew only when what it shows has changed: focus and open details stay. */
const drawn = new Map<HTMLElement, string>();
function redraw(node: HTMLElement, key: string, nodes: () => readonly (Node | string)[]): void {
  if (drawn.get(node) === key) return;
  drawn.set(node, key);
  node.replaceChildren(...nodes());
}

function drawModels(): void {
  const actions = {
    choose: (side: PlayerSide, which: 'ask' | 'bundled' | 'none') => {
      api.chooseModel({ side, which }).catch(showError);
    },
    restart: (side: PlayerSide, on: 'same' | 'cpu') => {
      notice.clear();
      api.restart({ side, on }).catch(showError);
    },
    trust: () => {
      api.manageTrust({}).catch(showError);
    },
  };
  for (const side of ['main', 'other'] as const) {
    const { model, verdict: said } = asking[side].state;
    models[side].hidden = side === 'other' && asking.main.state.model.state === 'none';
    redraw(models[side], JSON.stringify([model, said?.verdict]), () =>
      modelNodes({ side, model, verdict: said }, actions),
    );
  }
  const { tokens, verdict: main } = asking.main.state;
  scoringLine.textContent = tokens === null ? '' : scoringText(tokens, main !== null);
  redraw(verdict, JSON.stringify([main, asking.other.state.verdict]), () =>
    (['main', 'other'] as const).flatMap((side) => {
      const { verdict: said, speaker } = asking[side].state;
      // That nothing is logged is a fact of the log: it is said once.
      const twice = side === 'other' && said?.verdict === 'not logged';
      return said === null || twice ? [] : verdictNodes(said, speaker);
    }),
  );
}

function drawCurve(data: CurveData): void {
  const { points, names, turn } = data;
  redraw(curve, JSON.stringify([points, names, turn, data.episode.kept]), () => curveNodes(data));
}

// ---- what the host tells, and keys

let loads = 0;
async function load(): Promise<void> {
  loads += 1;
  const mine = loads;
  const next = await api.episode({ kept: page.kept });
  if (mine !== loads) return;
  const other = JSON.stringify(next.kept) !== JSON.stringify(page.kept);
  episode = next;
  segments = segmentsOf(next);
  head = { index: other ? 0 : Math.min(page.segment, Math.max(0, segments.length - 1)), part: 0 };
  page = { ...page, kept: next.kept };
  notice.clear();
  subtitle.textContent = segments.length === 0 ? `${next.title}. ${texts.empty}` : next.title;
  notes.replaceChildren(...next.notes.map((note) => element('li', {}, [note])));
  body.hidden = segments.length === 0;
  timeline.show(next, segments);
  timeline.setWidths(page.widthBy);
  setPlaying(false);
  keep();
  const [states, kept] = await Promise.all([api.models({}), api.branches({})]);
  if (mine !== loads) return;
  branches.set(kept);
  for (const side of ['main', 'other'] as const) {
    if (other) asking[side].restart();
    asking[side].setModel(states[side]);
  }
  drawSoon();
}

connection.on<PlayerEvents>({
  episodeChanged: () => {
    load().catch(showError);
  },
  modelChanged: ({ side, model }) => {
    asking[side].setModel(model);
  },
  turnAsked: ({ turn }) => {
    if (turn !== turnHere()) stand(segmentOf(turn, null, segments), 'silent');
  },
  scored: (event) => {
    asking[event.side].scored(event);
  },
  branchText: ({ side, arm, sample, added }) => {
    if (side !== 'main') return;
    const known = live.find((one) => one.arm === arm && one.sample === sample);
    const grown = { arm, sample, text: `${known?.text ?? ''}${added}` };
    live = [...live.filter((one) => one !== known), grown];
    drawSoon();
  },
  progress: ({ side, what, done, of }) => {
    const { state } = asking[side];
    if (state.running === null) return;
    state.running = texts.progress(what, done, of);
    drawSoon();
  },
  key: ({ key }) => {
    press(key);
  },
});

/** Does what a key stands for; false for a key that is none of the player's. */
function press(key: string): boolean {
  const move = moveOfKey(key);
  if (move !== null) go(move);
  else if (key === ' ') setPlaying(!playing);
  else if (key === 'r') branch({ kind: 'no call' });
  else if (key === 'm') estimate('main');
  else if (key === '?') transport.toggleKeys();
  else if (key === 'Escape') {
    if (!transport.hideKeys() && !cancel())
      api.back({ turn: turnHere(), call: segments[head.index]?.call ?? null }).catch(showError);
  } else return false;
  return true;
}

document.addEventListener('keydown', (event) => {
  if (isForPlayer(event) && press(event.key)) event.preventDefault();
});

load().catch(showError);
