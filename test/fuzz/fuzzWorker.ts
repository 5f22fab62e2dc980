// The child process of `npm run fuzz`: runs the cases of the seeds it is told, one after the other, and says before each
// that it starts. It may hang, run out of memory or crash: its parent (fuzz.mjs) sees that and knows the seed.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesSource } from '../../src/readers/source.ts';
import { listZip, openMember } from '../../src/readers/zipMembers.ts';
import { claimOf, fixtures } from '../unit/readers/fixtureFolders.ts';
import { randomFrom } from '../unit/readers/mutate.ts';
import { checkCase, type Claim, type Outcome } from './checkCase.ts';
import { type Damaged, damagedLog, type Subject } from './damage.ts';
import { createUnwrapper } from './wrap.ts';

/** From the parent: the seeds to run; `save` writes the input of the first one and runs nothing. */
export interface Order {
  readonly first: number;
  readonly until: number;
  readonly deadlineMs: number;
  readonly save: string | null;
}

/** To the parent. */
export type Report =
  | { readonly kind: 'ready'; readonly subjects: number }
  | { readonly kind: 'start'; readonly seed: number; readonly what: string }
  | { readonly kind: 'done'; readonly seed: number; readonly outcome: Outcome; readonly cpuMs: number }
  | { readonly kind: 'finding'; readonly seed: number; readonly what: string; readonly message: string }
  | { readonly kind: 'memory'; readonly heapBytes: number }
  | { readonly kind: 'saved'; readonly path: string }
  | { readonly kind: 'end' };

/** A log as large as a fixture needs no more; what stays of it must be far less. */
const mostResidentBytes = 1_500_000_000;
const casesBetweenCollections = 100;
/** A wrapped log that is told in a sentence. */
const refused: Outcome = { recognised: false, rollouts: 0, noted: 1 };

const report = (message: Report): void => {
  process.send?.(message);
};

const folder = mkdtempSync(join(tmpdir(), 'rollout-lens-fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const unwrapper = createUnwrapper(folder);
const subjects = await loadSubjects();
const claims = await loadClaims(subjects);
process.on('message', (order: Order) => void run(order));
process.on('disconnect', () => process.exit(0));
report({ kind: 'ready', subjects: subjects.length });

async function loadSubjects(): Promise<readonly Subject[]> {
  const found: Subject[] = [];
  for (const fixture of fixtures()) {
    if (fixture.bytes.length > 256 * 1024) continue;
    if (fixture.kind !== 'archive') {
      const table = fixture.kind === 'lines' ? await unwrapper.tableOf(fixture.bytes) : null;
      found.push({ fixture, members: [], table });
      continue;
    }
    const source = bytesSource(fixture.name, fixture.bytes);
    const members = [];
    for (const member of (await listZip(source)).members) {
      const opened = await openMember(source, member, 1e8);
      if (opened.ok) members.push({ name: member.name, content: opened.bytes });
    }
    found.push({ fixture, members, table: null });
  }
  return found;
}

async function loadClaims(all: readonly Subject[]): Promise<readonly Claim[]> {
  const found = await Promise.all(all.map(({ fixture }) => claimOf(fixture.name, fixture.bytes)));
  return found.filter((claim) => claim !== null);
}

async function run({ first, until, deadlineMs, save }: Order): Promise<void> {
  if (save !== null) {
    const { bytes, subject, wrapping } = damagedLog(subjects, first);
    const path = join(save, `${first}-${subject.fixture.name}${wrapping === null ? '' : `.${wrapping}`}`);
    mkdirSync(save, { recursive: true });
    writeFileSync(path, bytes);
    report({ kind: 'saved', path });
    return;
  }
  for (let seed = first; seed < until && Date.now() < deadlineMs; seed++) {
    await runCase(seed);
    if (seed % casesBetweenCollections === casesBetweenCollections - 1) {
      globalThis.gc?.();
      report({ kind: 'memory', heapBytes: process.memoryUsage().heapUsed + process.memoryUsage().external });
    }
    // The parent's messages and the report itself need a turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  report({ kind: 'end' });
}

async function runCase(seed: number): Promise<void> {
  let damaged: Damaged;
  try {
    damaged = damagedLog(subjects, seed);
  } catch (error) {
    report({ kind: 'finding', seed, what: 'the damage itself', message: messageOf(error) });
    return;
  }
  const { subject, bytes, how, wrapping } = damaged;
  const { fixture } = subject;
  const what = `${fixture.id}, ${how}, ${bytes.length} bytes`;
  report({ kind: 'start', seed, what });
  await new Promise((resolve) => setImmediate(resolve));
  const before = process.cpuUsage();
  try {
    const random = randomFrom(seed);
    const own = claims.filter((claim) => claim.recognition.format === fixture.id.split('/')[0]).slice(0, 1);
    const foreign = random() < 0.2 ? claims[Math.floor(random() * claims.length)] : undefined;
    const others = foreign === undefined ? own : [...own, foreign];
    const inside = wrapping === null ? bytes : await unwrapper.unwrap(fixture.name, bytes);
    const outcome = inside === null ? refused : await checkCase(inside, { name: fixture.name, others, seed });
    const used = process.cpuUsage(before);
    const cpuMs = (used.user + used.system) / 1000;
    const resident = process.memoryUsage().rss;
    if (resident > mostResidentBytes) {
      report({ kind: 'finding', seed, what, message: `${Math.round(resident / 1e6)} MB resident` });
    }
    report({ kind: 'done', seed, outcome, cpuMs });
  } catch (error) {
    report({ kind: 'finding', seed, what, message: messageOf(error) });
  }
}

function messageOf(error: unknown): string {
  const texts: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    texts.push(at.cause instanceof Error ? at.message : (at.stack ?? at.message));
  }
  return texts.join(': ').slice(0, 1500);
}
