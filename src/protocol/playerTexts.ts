/**
 * The words of the player page, typed in one place so that they can be translated here (invariant 10). Numbers in, text
 * out. Leaves out what a replay says of itself (replayTexts.ts) and what the extension host says (`vscode.l10n.t`).
 */
import { countText, numberText, percentText, pluralText } from '../base/numberText.ts';
import type { Role } from '../model/rollout.ts';
import type { ArmShare, BackendFacts, DecisionPoint, Intervention, LogprobAgreement } from './replay.ts';
import { outcomeSign } from './playerSigns.ts';
import { verdictSign } from './texts.ts';

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';
/** Below this a number is written with a power of ten: its zeros could not be counted. */
const smallest = 0.001;

/** "0.41", "3.19·10⁻⁶": three significant digits at any size. */
export function smallNumberText(value: number): string {
  const size = Math.abs(value);
  if (!(size < smallest) || size === 0) return numberText(value);
  const [mantissa = '', power = ''] = value.toExponential(2).split('e-');
  const digits = [...power].map((digit) => superscripts[Number(digit)] ?? '').join('');
  return `${numberText(Number(mantissa))}·10⁻${digits}`;
}

/** "−12": a difference of shares in percentage points. */
function pointsText(difference: number): string {
  return percentText(difference).replace(/\s*%$/, '');
}

/** What an arm is called, by what was done differently. */
const changedArms: Readonly<Record<Intervention['kind'], string>> = {
  'no call': 'without the call',
  'no tools': 'without tools',
  'other result': 'with the other result',
};

/** "0.41 (0.29–0.54, n = 32)". */
function withInterval(point: Pick<DecisionPoint, 'callProbability' | 'low' | 'high' | 'n'>): string {
  const { low, high } = point;
  const inside = [
    ...(low === null || high === null ? [] : [`${smallNumberText(low)}–${smallNumberText(high)}`]),
    ...(point.n === 0 ? [] : [`n = ${countText(point.n)}`]),
  ];
  return `${smallNumberText(point.callProbability)}${inside.length === 0 ? '' : ` (${inside.join(', ')})`}`;
}

/** "29 of 32 right (76–97 %)". */
function armText({ right, judged, samples, low, high }: ArmShare): string {
  if (judged === 0) return `0 of ${countText(samples)} could be judged`;
  const interval = low === null || high === null ? '' : ` (${percentText(low)} to ${percentText(high)})`;
  const rest = samples === judged ? '' : `, ${countText(samples - judged)} not judged`;
  return `right ${countText(right)} of ${countText(judged)} times${interval}${rest}`;
}

const estimators: Readonly<Record<DecisionPoint['estimator'], string>> = {
  siblings: 'share of the group that called in turn 1; needs no model',
  'Monte Carlo': 'sampled from the start of the turn through the reasoning',
  hazard: 'chance of the opener along the recorded text',
  'first token': 'chance of the opener as the first token',
};

/** Every word of the page. */
export const playerTexts = {
  title: 'Replay',
  reading: 'The episode is being read…',
  empty: 'This rollout has no turns to play.',
  noEpisode: 'No episode is chosen. Choose a rollout in the sidebar, or “Replay” above a transcript.',

  play: 'Play',
  pause: 'Pause',
  playTitle: 'Play or pause (Space)',
  first: 'To the start',
  previousTurn: 'Previous turn (←)',
  nextTurn: 'Next turn (→)',
  last: 'To the end',
  speed: 'Speed',
  speedOf: (speed: number) => `${numberText(speed)}×`,
  width: 'Width by',
  widths: { tokens: 'tokens', time: 'time' },
  turn: (number: number) => `turn ${countText(number)}`,
  turnOf: (number: number, count: number) => `turn ${countText(number)} of ${countText(count)}`,
  keys: 'Keys',
  keysTitle: 'Show the keys (?)',
  keySheet: [
    ['Space', 'play or pause'],
    ['← →', 'previous or next turn'],
    ['↑ ↓', 'previous or next call'],
    ['.', 'next decision'],
    ['r', 'run the counterfactual of this turn'],
    ['m', 'sample P(call) of this turn'],
    ['Esc', 'close this sheet, else stop what runs, else back to the transcript'],
    ['?', 'show or hide the keys'],
  ] as const,

  timeline: 'Turns and calls',
  roles: { system: 'system', user: 'user', policy: 'policy', tool: 'result', other: 'other' } satisfies Record<
    Role,
    string
  >,
  policyTurn: (number: number) => `policy ${number}`,
  answerTurn: (correct: boolean | null) => `answer ${verdictSign(correct)}`,
  tool: (name: string) => `▶ ${name}`,
  noTool: 'call',
  redundant: ' ⚠',
  segmentTitle: (label: string, size: string, rules: string) =>
    `${size === '' ? label : `${label}, ${size}`}${rules === '' ? '' : `. Redundant: ${rules}`}`,
  sizeTokens: (tokens: number, estimated: boolean) => `${estimated ? 'about ' : ''}${pluralText(tokens, 'token')}`,

  recorded: (label: string) => `${label}, as recorded`,
  givenNote: 'Given to the policy, not written by it: it is dimmed and not scored.',
  cut: (characters: number) =>
    `${pluralText(characters, 'character')} more are left out here. The transcript has them.`,
  beyondContext: (context: number) =>
    `This turn lies beyond the model’s context of ${pluralText(context, 'token')}: it is not scored, and nothing can be asked of the model here.`,
  partlyBeyond: (context: number) =>
    `The rest of this turn lies beyond the model’s context of ${pluralText(context, 'token')}: it is not scored.`,
  pads: (count: number) => `[picture: ${pluralText(count, 'pad')}]`,
  pictures: 'Pictures of this turn',
  measure: 'Heat by',
  measures: { logprob: 'surprise', entropy: 'entropy', rank: 'rank' },
  strip: (scored: number, count: number) =>
    `Tokens of this turn: ${countText(scored)} of ${pluralText(count, 'token')} scored. Arrow keys move from token to token.`,
  heatLegend: {
    logprob: 'Higher and darker: less probable (below 0.9, 0.5, 0.1).',
    entropy: 'Higher and darker: less certain (above 0.5, 1, 2 nats).',
    rank: 'Higher and darker: further from the first choice (rank above 1, 5, 20).',
  },
  tokenHint: 'Point at a token, or use the arrow keys on the strip, to see its probability and the alternatives.',
  token: (text: string) => `“${text}”`,
  tokenScored: (probability: string, rank: string, entropy: string) =>
    `probability ${probability}, rank ${rank}, entropy ${entropy} nats`,
  tokenLogprob: (replayed: string, model: string) => `replayed log-prob ${replayed} (${model})`,
  tokenLogged: (logged: string, difference: string) => `logged log-prob ${logged}, difference ${difference}`,
  tokenNotLogged: 'no log-prob is logged for it',
  tokenGiven: 'given to the policy, not scored',
  tokenWaiting: 'not scored yet',
  alternatives: 'Alternatives',
  alternative: (text: string, probability: string) => `“${text}” ${probability}`,
  unnamed: (id: number) => `token ${id}`,

  model: 'Model',
  compare: 'Compared with',
  choose: 'Choose Model…',
  chooseTitle: 'Choose the model that speaks',
  chooseOther: 'Compare with…',
  chooseOtherTitle: 'Choose a second model, shown beside the first',
  dropOther: 'Stop comparing',
  bundled: 'Use the bundled model',
  noModel:
    'Without a model this is a plain replay. A model says how probable each token was, whether it would call the tool here, and how the answer turns out without the call.',
  loading: (name: string) => `${name} is being loaded…`,
  speaking: (name: string, { precision, provider }: Pick<BackendFacts, 'precision' | 'provider'>) =>
    // A server does not say its precision.
    [name, ...(precision === 'unknown' ? [] : [precision]), provider].join(' · '),
  tested: ' ✓ checked against the CPU',
  untrusted: ' ✗ differs from the CPU',
  slow: ' (slower than the CPU)',
  standIn: 'A stand-in: it says what this model would do, not what the policy that acted would do.',
  alsoStandIn: 'A stand-in: not the policy that acted.',
  samePolicy: 'Its log-probs are the logged ones: as far as numbers tell, this is the policy that acted.',
  provenance: 'Where these numbers come from',
  attempts: 'Providers that were tried',
  attempt: (provider: string, failure: string | null) => `${provider}: ${failure ?? 'works'}`,
  restart: 'Start again',
  onCpu: 'Use the CPU',
  trust: 'Manage Workspace Trust',
  scoring: (done: number, of: number) => `Scored ${countText(done)} of ${pluralText(of, 'token')}.`,
  progress: (what: string, done: number, of: number) =>
    of === 0 ? `${what}…` : `${what}: ${countText(done)} of ${countText(of)}`,
  cancel: 'Stop',
  cancelled: 'Stopped.',
  again: 'Score again',
  sourceOf: (source: string, misaligned: number) =>
    `Tokens from ${source === 'logged ids' ? 'the logged ids' : source === 'exact text' ? 'the exact text of the log' : 'the chat template'}; ${percentText(misaligned)} misaligned${misaligned === 0 ? '' : ': other tokens, or tokens cut elsewhere, may have been sampled'}.`,
  nothingScored: 'No token of the policy could be scored with this model.',

  agreement: 'Logged against replayed',
  agreementHead: ['temperature', 'tokens', 'mean |Δ|', '99th percentile', 'largest', 'k3 KL, nats'] as const,
  agreementRow: (one: LogprobAgreement): readonly string[] => [
    numberText(one.temperature),
    countText(one.tokens),
    smallNumberText(one.meanAbsolute),
    smallNumberText(one.p99Absolute),
    smallNumberText(one.maximumAbsolute),
    smallNumberText(one.k3),
  ],
  fits: ' (fits)',
  outside: (share: number) => `${percentText(share)} of the logged tokens lie outside top-p.`,
  verdicts: { same: '= same', near: '≈ near', different: '≠ different', 'not logged': 'not logged' },

  curve: 'P(call) over the episode',
  curveEmpty: 'P(call) of each decision is shown here once there is an estimate.',
  curvePoint: (label: string, point: DecisionPoint, model: string) =>
    `${label}: P(call) ${withInterval(point)}, ${point.estimator}${model === '' ? '' : `, ${model}`}`,
  curveHead: ['turn', 'P(call)', 'answer now', 'estimator', 'conditional on', 'recorded', 'model'] as const,
  interval: withInterval,
  estimators,
  unconditional: 'nothing',
  called: '● called',
  answered: '○ answered',
  noModelNeeded: 'none: the group’s own rollouts',
  solid: (name: string) => `— ${name}`,
  dashed: (name: string) => `- - ${name}`,
  dots: '◇ siblings',
  choices: 'below: ● called, ○ answered',
  table: 'As a table',

  would: 'What this model would do here',
  wouldWithout: 'The decision here',
  wouldOf: (name: string) => `What ${name} would do here`,
  notDecision: 'No decision is made in this turn: it was given to the policy.',
  noEstimate: 'Nothing is estimated here yet.',
  noModelYet: 'No model is there to be asked: choose one first.',
  notReadyYet: 'The model is not ready yet.',
  decision: (point: DecisionPoint) =>
    `call ${withInterval(point)} · answer now ${smallNumberText(1 - point.callProbability)}`,
  decisionBy: (point: DecisionPoint) =>
    `${point.estimator}: ${estimators[point.estimator]}${point.given === '' ? '' : `; ${point.given}`}${
      point.n === 0 ? '' : `; temperature ${numberText(point.temperature)}`
    }`,
  estimate: (samples: number) => `Sample P(call), n = ${countText(samples)}`,
  estimateTitle: 'Monte Carlo from the start of this turn through the reasoning (m)',
  counterfactual: 'Continue without the tool',
  counterfactualTitle:
    'Samples from the start of this turn, before its reasoning, beside a control arm that goes on behind the recorded result (r)',
  noToolsTitle:
    'Samples from the start of this turn with the tools taken out of the prompt, beside a control arm that goes on behind the recorded result',
  noTools: 'Without tools in the prompt',
  otherResult: 'With another result…',
  otherResultLabel: 'The result that is given instead',
  otherResultRun: 'Continue with this result',
  running: (arm: string, sample: number) => `${arm}, sample ${countText(sample + 1)}`,
  armNames: { intervention: 'with the change', control: 'control, as recorded' },
  gains: 'Information gain of the calls',
  gainsTitle: 'How much more probable the recorded answer becomes by each call',
  gainsNote:
    'The recorded answer is put right behind the answer opener, with no reasoning before it: a screen, not a proof.',
  gain: (call: number, gain: number, flagged: boolean) =>
    `Call ${call}: ${numberText(gain)} nats${flagged ? ' ⚠ redundant: the answer was known without it' : ''}`,
  gainDetail: (withCall: number, without: number) =>
    `log p(answer) ${numberText(withCall)} with it, ${numberText(without)} without it`,

  branches: 'Branches',
  noBranches: 'No counterfactual was run yet.',
  interventions: (intervention: Intervention): string =>
    intervention.kind === 'no call' ? 'no call' : intervention.kind === 'no tools' ? 'no tools' : 'another result',
  branchName: (intervention: string, turn: number, number: number) => `${intervention}, turn ${turn} #${number}`,
  changedArm: ({ kind }: Intervention, share: ArmShare) => `${changedArms[kind]}: ${armText(share)}`,
  controlArm: (share: ArmShare) => `as recorded: ${armText(share)}`,
  difference: ({ value, low, high }: { readonly value: number; readonly low: number; readonly high: number }) =>
    `difference ${pointsText(value)} percentage points (${pointsText(low)} to ${pointsText(high)}, Newcombe)`,
  sharesPicture: 'Share right in both arms, with 95 % intervals, and their difference',
  calibration: ({ agree, of }: { readonly agree: number; readonly of: number }) =>
    of === 0
      ? 'The answer check could not be tried on answers of this run.'
      : `The answer check agrees with the run’s own grader on ${countText(agree)} of ${countText(of)} recorded answers.`,
  sampleEnd: outcomeSign,
  sampleTitles: (arm: 'intervention' | 'control', samples: readonly number[]) => {
    const shown = samples.slice(0, 6).map((sample) => `#${sample + 1}`);
    const more = samples.length > shown.length ? ', …' : '';
    const times = samples.length > 1 ? ` (${countText(samples.length)} times)` : '';
    return `${arm === 'control' ? 'control' : 'changed'} ${shown.join(', ')}${more}${times}`;
  },
  sampleTitle: (arm: 'intervention' | 'control', sample: number) =>
    `${arm === 'control' ? 'control' : 'changed'} #${sample + 1}`,
  diff: 'diff with record',
  rename: 'Rename…',
  remove: 'Remove',
  samples: (count: number) => pluralText(count, 'sample'),
  settingsOf: (temperature: number, topP: number, seed: number) =>
    `temperature ${numberText(temperature)}, top-p ${numberText(topP)}, seed ${seed}`,
} as const;
