// Finds the fixtures of the readers: test/fixtures/<format>/<producer>-<version>/ with one log and its expected.json.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Rollout } from '../../../src/model/rollout.ts';
import { recognise } from '../../../src/readers/all.ts';
import { readHead } from '../../../src/readers/head.ts';
import { bytesSource } from '../../../src/readers/source.ts';
import type { Claim, Reading } from './readAll.ts';

const root = join(import.meta.dirname, '../../fixtures');
/** Not logs that are read: otherFormats.test.ts has its own table. */
const otherFolders = new Set(['unread']);

export interface Fixture {
  /** "verl/metis-84fd45e". */
  readonly id: string;
  readonly name: string;
  readonly bytes: Buffer;
  readonly expectedPath: string;
  readonly kind: 'lines' | 'array';
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
      const kind = name.endsWith('.json') ? 'array' : 'lines';
      const bytes = readFileSync(join(folder, name));
      found.push({ id: `${format}/${producer}`, name, bytes, expectedPath: join(folder, 'expected.json'), kind });
    }
  }
  return found;
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
      return `${turn.prompt ? 'prompt ' : ''}${turn.role} (${turn.loggedRole}, ${turn.characters}): ${parts}${observes}`;
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
    stopReason: rollout.stopReason,
    modelTokens: rollout.modelTokens,
    masked: rollout.masked,
    extras: rollout.extras.map((extra) => extra.name),
  };
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
