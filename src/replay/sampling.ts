/**
 * One token from one row of log-probs: temperature, top-k, top-p, banned ids, seeded. Exact: the most probable tokens come
 * from the graph, and where they do not reach (a wide nucleus, a draw from the tail) the whole row is looked at.
 * Owned by generation.ts. Leaves out the decoder; pure but for the state of a random stream.
 */

/** A stream of numbers in [0, 1): one a sample, so that samples do not depend on each other. */
export type RandomStream = () => number;

/** splitmix32 of a seed: seeds that differ by one give unrelated streams. 32 bits; enough for a draw from a row. */
export function randomStream(seed: number): RandomStream {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 2 ** 32;
  };
}

/** How to sample. */
export interface SamplingRule {
  /** 0 is greedy. */
  readonly temperature: number;
  /** 1 for all. */
  readonly topP: number;
  /** Null for all. */
  readonly topK: number | null;
  readonly banned: ReadonlySet<number>;
}

/** What is known of the next token. Log-probs at temperature 1. */
export interface NextToken {
  /** Most probable first; ids and log-probs in parallel. */
  readonly topIds: Int32Array;
  readonly topLogprobs: Float32Array;
  /** Log-probs of the whole vocabulary. */
  readonly row: Float32Array;
  /** Sum of exp(log-prob / temperature) over the row. */
  readonly rowSum: number;
}

/** A token that was drawn. */
export interface DrawnToken {
  readonly id: number;
  /** At temperature 1, nothing banned. */
  readonly logprob: number;
  /** Probability (temperature 1) that the banned ids had. */
  readonly bannedMass: number;
}

/** Draws one token. Throws RangeError where everything is banned. */
export function drawToken(next: NextToken, rule: SamplingRule, random: RandomStream): DrawnToken {
  const { row } = next;
  const bannedMass = [...rule.banned].reduce((mass, id) => mass + Math.exp(row[id] ?? -Infinity), 0);
  const drawn = (id: number): DrawnToken => ({
    id,
    logprob: row[id] ?? Number.NaN,
    bannedMass: Math.min(1, bannedMass),
  });
  if (rule.temperature === 0) {
    const best = candidatesOf(next, rule.banned).next();
    if (best.done === true) throw new RangeError('Every token is banned.');
    return drawn(best.value);
  }
  const scale = 1 / rule.temperature;
  const weight = (id: number): number => Math.exp((row[id] ?? -Infinity) * scale);
  const u = random();
  if (rule.topP >= 1 && rule.topK === null) return drawn(drawFromAll(next, { weight, u, banned: rule.banned }));
  return drawn(drawFromNucleus(next, rule, { weight, u }));
}

/** Mass of the row without the banned ids; summed anew where subtracting would leave rounding only. */
function allowedMass(next: NextToken, weight: (id: number) => number, banned: ReadonlySet<number>): number {
  let taken = 0;
  for (const id of banned) taken += weight(id);
  if (taken < 0.999 * next.rowSum) return next.rowSum - taken;
  let mass = 0;
  for (let id = 0; id < next.row.length; id++) if (!banned.has(id)) mass += weight(id);
  return mass;
}

interface Draw {
  readonly weight: (id: number) => number;
  readonly u: number;
}

function drawFromAll(next: NextToken, { weight, u, banned }: Draw & { readonly banned: ReadonlySet<number> }): number {
  let left = u * allowedMass(next, weight, banned);
  let last = -1;
  for (const id of next.topIds) {
    if (banned.has(id)) continue;
    last = id;
    left -= weight(id);
    if (left < 0) return id;
  }
  // The tail, in one pass over perhaps 150,000 ids: those done with are passed in order, not looked up.
  const passed = [...new Set([...next.topIds, ...banned])].sort((a, b) => a - b);
  let passing = 0;
  for (let id = 0; id < next.row.length; id++) {
    if (id === passed[passing]) {
      passing++;
      continue;
    }
    const own = weight(id);
    left -= own;
    // Without weight it could only be drawn through rounding.
    if (own > 0) last = id;
    if (left < 0) return id;
  }
  if (last < 0) throw new RangeError('Every token is banned.');
  return last;
}

/** The most probable tokens that hold topP of the mass, at most topK; both judged without the banned ids. */
function drawFromNucleus(next: NextToken, rule: SamplingRule, { weight, u }: Draw): number {
  const enough = rule.topP * allowedMass(next, weight, rule.banned);
  const nucleus: number[] = [];
  let mass = 0;
  for (const id of candidatesOf(next, rule.banned)) {
    nucleus.push(id);
    mass += weight(id);
    if (mass >= enough || nucleus.length === rule.topK) break;
  }
  let left = u * mass;
  for (const id of nucleus) {
    left -= weight(id);
    if (left < 0) return id;
  }
  const last = nucleus.at(-1);
  if (last === undefined) throw new RangeError('Every token is banned.');
  return last;
}

/** Allowed ids, most probable first; the row is sorted only when the known ones are used up. */
function* candidatesOf(next: NextToken, banned: ReadonlySet<number>): Generator<number, void> {
  const known = new Set(next.topIds);
  for (const id of next.topIds) if (!banned.has(id)) yield id;
  if (known.size >= next.row.length) return;
  const others = Array.from(next.row.keys()).filter((id) => !known.has(id) && !banned.has(id));
  others.sort((a, b) => (next.row[b] ?? 0) - (next.row[a] ?? 0) || a - b);
  yield* others;
}
