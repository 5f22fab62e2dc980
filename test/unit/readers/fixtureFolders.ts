// Finds the fixtures of the readers: test/fixtures/<format>/<producer>-<version>/ with one log and its expected.json.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Rollout, Turn } from '../../../src/model/rollout.ts';
import { recognise } from '../../../src/readers/all.ts';
import { readHead } from '../../../src/readers/head.ts';
import { bytesSource } from '../../../src/readers/source.ts';
import type { Claim, Reading } from './readAll.ts';

const root = join(import.meta.dirname, '../../fixtures');
/** Not one log a folder: other tests have their own tables of these. */
const otherFolders = new Set(['unread', 'redundancy', 'sample', 'curation']);

/** How the log is built: JSON lines, one JSON document (an array or an object), text of another kind, or a zip. */
export type FixtureKind = 'lines' | 'array' | 'text' | 'archive';

export interface Fixture {
  /** "verl/metis-84fd45e". */
  readonly id: string;
  readonly name: string;
  readonly bytes: Buffer;
  readonly expectedPath: string;
  readonly kind: FixtureKind;
}

/** Every fixture folder; throws for one that no test would use. */
export function fixtures(): readonly Fixture[] {
  const found: Fixture[] = [];
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name: format } of folders) {
    if (otherFolders.has(format)) continue;
    for (const producer of readdirSync(join(root, format))) {
      const folder = join(root, format, producer);
      const logs = readdirSync(folder).filter((name) => name !== 'expected.json');
      const [name] = logs;
      if (logs.length !== 1 || name === undefined)
        throw new Error(`${folder} must hold one log, has: ${logs.join(', ')}`);
      const kind = kindOf(name);
      const bytes = readFileSync(join(folder, name));
      found.push({ id: `${format}/${producer}`, name, bytes, expectedPath: join(folder, 'expected.json'), kind });
    }
  }
  return found;
}

function kindOf(name: string): FixtureKind {
  if (name.endsWith('.eval')) return 'archive';
  return /\.(json|traj)$/.test(name) ? 'array' : name.endsWith('.log') ? 'text' : 'lines';
}

/** Who claims these bytes; null if nobody does. */
export async function claimOf(name: string, bytes: Uint8Array): Promise<Claim | null> {
  const found = recognise(await readHead(bytesSource(name, bytes)));
  return found.kind === 'read' ? { reader: found.reader, recognition: found.recognition } : null;
}

/** The golden text of a reading; written instead of compared with UPDATE_FIXTURES=1 or where there is none yet. */
export function goldenOf(claim: Claim, reading: Reading): unknown {
  const groups: string[] = [];
  const { lines, read, skipped, noted } = reading.summary;
  return {
    recognition: claim.recognition,
    summary: { lines, read, skipped, noted },
    notes: reading.notes.map(({ severity, code, line }) => ({ severity, code, line })),
    rollouts: reading.rollouts.map((rollout) => {
      const key = `${rollout.step} ${rollout.group.key}`;
      if (!groups.includes(key)) groups.push(key);
      return goldenRollout(rollout, groups.indexOf(key));
    }),
  };
}

/** The keys of inferred groups are hashes: what counts is who shares one. */
function goldenRollout(rollout: Rollout, group: number): unknown {
  const { source, key } = rollout.group;
  return {
    row: rollout.place.row,
    ...(rollout.place.item === undefined ? {} : { item: rollout.place.item }),
    line: rollout.place.line,
    producer: rollout.producer,
    step: rollout.step,
    group: source === 'logged' ? `logged ${key}` : `inferred #${group}`,
    id: rollout.id,
    question: rollout.question,
    groundTruth: rollout.groundTruth,
    turns: rollout.turns.map((turn) => {
      const parts = turn.parts.map((part) => (part.kind === 'call' ? `call ${part.call}` : part.kind)).join(', ');
      const observes = turn.observes.length === 0 ? '' : ` observes ${turn.observes.join(', ')}`;
      const agent = turn.agent === null ? '' : ` by ${turn.agent.name} at depth ${turn.agent.depth}`;
      const who = `${turn.prompt ? 'prompt ' : ''}${turn.role} (${turn.loggedRole}, ${turn.characters})`;
      return `${who}: ${parts}${observes}${agent}${goldenTokens(turn)}`;
    }),
    calls: rollout.calls.map((call) => ({
      tool: call.tool,
      arguments: call.arguments,
      outcome: call.outcome,
      ...(call.sent ? {} : { sent: false }),
      ...(call.control ? { control: true } : {}),
      failure: call.failure,
      observation: call.observation.length > 80 ? `${call.observation.length} characters` : call.observation,
      latencyMs: call.latencyMs,
    })),
    images: rollout.images.map(({ origin, state, mime, pads }) => `${origin} ${state} ${mime} ${pads}`),
    answer: rollout.answer,
    reward: rollout.reward,
    ...(rollout.loggedAdvantage === null ? {} : { loggedAdvantage: rollout.loggedAdvantage }),
    stopReason: rollout.stopReason,
    modelTokens: rollout.modelTokens,
    masked: rollout.masked,
    extras: rollout.extras.map((extra) => extra.name),
  };
}

/** Token arrays as one text; '' where there are none, which is most turns. */
function goldenTokens({ tokens, tokenValues }: Turn): string {
  const count = tokens === null ? '' : ` of ${tokens} tokens`;
  if (tokenValues === null) return count;
  const { ids, texts, logprobs, referenceLogprobs, others } = tokenValues;
  const arrays = [
    { name: 'ids', values: ids },
    { name: 'texts', values: texts },
    { name: 'logprobs', values: logprobs },
    { name: 'reference', values: referenceLogprobs },
    ...others,
  ];
  const shown = arrays.flatMap(({ name, values }) => (values === null ? [] : [`${name} ${values.join(' ')}`]));
  return `${count} with ${shown.join('; ')}`;
}

/** The golden on disk, after JSON (undefined and NaN as JSON has them). */
export function expectedOf(fixture: Fixture, golden: unknown): unknown {
  if (process.env['UPDATE_FIXTURES'] === '1') {
    writeFileSync(fixture.expectedPath, `${JSON.stringify(golden, null, 1)}\n`);
  }
  if (!existsSync(fixture.expectedPath)) {
    throw new Error(`${fixture.id} has no expected.json: write it with UPDATE_FIXTURES=1 and look at it`);
  }
  return JSON.parse(readFileSync(fixture.expectedPath, 'utf8'));
}
