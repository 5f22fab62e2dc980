// `npm run fuzz -- --minutes N [--seed S] [--cases N]`: damages every fixture, one seed a case, some in gzip, zstd or a
// Parquet table, and reads it through recognise, read and readOne of the readers in a child process with a memory limit. No exception, no hang over 5 s of
// processor time, no growth of memory, no broken sum. Prints what was run and found; exits with 1 on a finding and keeps
// its input under out/fuzz. `--seed S --cases 1` runs one case again.
import { fork } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const repository = path.resolve(import.meta.dirname, '../..');
const output = path.join(repository, 'out/fuzz');
const hangMs = 5_000;
/** A loaded machine may give a process a fraction of its time; what hangs, hangs longer. */
const patienceMs = 30_000;
const heapMegabytes = 512;
const mostGrowthBytes = 96 * 1024 * 1024;
const mostFindings = 40;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '0' },
    cases: { type: 'string' },
  },
});

const seconds = Number(values.minutes) * 60;
const firstSeed = Number(values.seed);
const cases = values.cases === undefined ? Infinity : Number(values.cases);
if (!(seconds > 0) || !Number.isInteger(firstSeed) || firstSeed < 0 || !(cases > 0)) {
  console.error('usage: npm run fuzz -- --minutes N [--seed S] [--cases N]');
  process.exit(2);
}

const bundle = path.join(output, `worker-${process.pid}.mjs`);
await build({
  entryPoints: [path.join(repository, 'test/fuzz/fuzzWorker.ts')],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'esm',
  logLevel: 'warning',
  external: ['@duckdb/node-api'],
  sourcemap: 'inline',
  // The fixtures are found beside the sources, yauzl is CommonJS.
  define: { 'import.meta.dirname': JSON.stringify(path.join(repository, 'test/unit/readers')) },
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
});

const deadlineMs = Date.now() + seconds * 1000;
const until = firstSeed + cases;
const sums = { cases: 0, recognised: 0, rollouts: 0, noted: 0, slowestMs: 0, slowest: '', children: 0 };
const findings = new Map();
let heapAtFirst = null;
let heapAtLast = null;
let timesGrown = 0;

let next = firstSeed;
while (next < until && Date.now() < deadlineMs && findings.size < mostFindings) next = await runChild(next);
await report();

/** Runs cases from a seed on in one child; resolves with the seed to go on with. */
function runChild(first) {
  sums.children += 1;
  // Growth is within one child.
  heapAtFirst = null;
  timesGrown = 0;
  return new Promise((resolve) => {
    const child = fork(bundle, [], {
      execArgv: [`--max-old-space-size=${heapMegabytes}`, '--expose-gc', '--enable-source-maps'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let errors = '';
    child.stderr.on('data', (data) => (errors = (errors + data).slice(-4000)));
    let running = null;
    let seed = first;
    let timer = null;
    let killed = false;
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        killed = true;
        child.kill('SIGKILL');
      }, patienceMs);
    };
    watch();
    child.on('message', (message) => {
      watch();
      switch (message.kind) {
        case 'ready':
          child.send({ first, until: Math.min(until, Number.MAX_SAFE_INTEGER), deadlineMs, save: null });
          break;
        case 'start':
          running = message;
          seed = message.seed;
          break;
        case 'done':
          running = null;
          count(message);
          seed = message.seed + 1;
          break;
        case 'finding':
          running = null;
          sums.cases += 1;
          find(message.seed, message.what, message.message);
          seed = message.seed + 1;
          if (findings.size >= mostFindings) child.kill('SIGKILL');
          break;
        case 'memory':
          grow(message.heapBytes, seed);
          break;
        case 'end':
          child.disconnect();
          break;
      }
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (running !== null) {
        const how = killed ? `hung for more than ${patienceMs / 1000} s` : crash(code, signal, errors);
        sums.cases += 1;
        find(running.seed, running.what, how);
        seed = running.seed + 1;
      } else if (seed === first && code !== 0 && Date.now() < deadlineMs) {
        console.error(`the child did not start: ${crash(code, signal, errors)}`);
        process.exit(2);
      }
      resolve(seed);
    });
  });
}

function count({ seed, outcome, cpuMs }) {
  sums.cases += 1;
  sums.recognised += outcome.recognised ? 1 : 0;
  sums.rollouts += outcome.rollouts;
  sums.noted += outcome.noted;
  if (cpuMs > sums.slowestMs) {
    sums.slowestMs = cpuMs;
    sums.slowest = `seed ${seed}`;
  }
  if (cpuMs > hangMs) find(seed, 'slow', `took ${Math.round(cpuMs)} ms of processor time`);
}

/** After the first collection the heap must stay where it is; one measurement may come before the buffers are gone. */
function grow(heapBytes, seed) {
  heapAtLast = heapBytes;
  heapAtFirst ??= heapBytes;
  timesGrown = heapBytes - heapAtFirst > mostGrowthBytes ? timesGrown + 1 : 0;
  if (timesGrown < 3) return;
  find(seed, 'memory', `the heap grew from ${megabytes(heapAtFirst)} to ${megabytes(heapBytes)} MB`);
  heapAtFirst = heapBytes;
  timesGrown = 0;
}

/** Keeps one finding of each kind: a thousand seeds may find the same mistake. */
function find(seed, what, message) {
  const kind = message.replaceAll(/\d+/g, '#').split('\n').slice(0, 3).join(' ');
  const known = findings.get(kind);
  if (known === undefined) findings.set(kind, { seed, what, message, times: 1 });
  else known.times += 1;
}

function crash(code, signal, errors) {
  const told = /heap out of memory/.test(errors) ? 'out of memory' : errors.trim().split('\n').slice(-8).join('\n');
  return `crashed (${signal ?? code}): ${told}`;
}

function megabytes(bytes) {
  return Math.round(bytes / 1024 / 1024);
}

async function report() {
  const heap = heapAtFirst === null ? '' : `, heap ${megabytes(heapAtFirst)} → ${megabytes(heapAtLast)} MB`;
  console.log(
    `fuzz: ${sums.cases} cases from seed ${firstSeed} (${sums.recognised} recognised, ${sums.rollouts} rollouts, ` +
      `${sums.noted} notes), slowest ${Math.round(sums.slowestMs)} ms (${sums.slowest})${heap}, ${sums.children} child processes`,
  );
  console.log(`fuzz: ${findings.size} findings`);
  for (const { seed, what, message, times } of findings.values()) {
    const saved = await saveInput(seed);
    console.log(`\nseed ${seed} (${what}), ${times} ${times === 1 ? 'time' : 'times'}: ${message}\n  input: ${saved}`);
    console.log(`  again: npm run fuzz -- --seed ${seed} --cases 1`);
    writeFileSync(`${saved}.txt`, `${what}\n${message}\n`);
  }
  rmSync(bundle, { force: true });
  process.exit(findings.size > 0 ? 1 : 0);
}

/** The child makes the input again from its seed and writes it. */
function saveInput(seed) {
  return new Promise((resolve) => {
    const child = fork(bundle, [], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    child.on('message', (message) => {
      if (message.kind === 'ready') child.send({ first: seed, until: seed + 1, deadlineMs: 0, save: output });
      else if (message.kind === 'saved') {
        resolve(path.relative(repository, message.path));
        child.disconnect();
      }
    });
    child.on('exit', () => resolve(`not saved (seed ${seed})`));
  });
}
