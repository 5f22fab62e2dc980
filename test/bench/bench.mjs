// npm run bench [-- --small]: speed and memory as ratios measured in one run, printed and written to out/bench.json.
// Not a test: these figures depend on the machine. Needs `npm run build` first (the script does it) and about 5 GB of
// disk for the generated runs, which are removed again, and Chromium for the charts. `--small` uses a tenth of the sizes,
// to try the bench itself.
// Activation time and the extension host's memory are measured in the real VS Code (test/vscode), not here.
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeMetisRun } from '../generate/metisRun.mjs';
import { chartsBench, framesText } from './charts.mjs';
import { curateBench } from './curate.mjs';
import { engineBench } from './engine.mjs';
import { best, runNode } from './measure.mjs';
import { replayBench } from './replay.mjs';
import { rulesBench } from './rules.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const small = process.argv.includes('--small') ? 10 : 1;
const cli = join(root, 'dist', 'cli.cjs');
const folder = await mkdtemp(join(tmpdir(), 'rollout-lens-bench-'));
const results = {};

/** Adds a result and prints it. */
function report(name, text, values) {
  results[name] = values;
  console.log(`${name.padEnd(34)} ${text}`);
}

/** A Metis-shaped run of about `bytes` in lines of the given length, 2,048 rollouts a step. */
async function generated(name, { bytes, min, max }) {
  const directory = join(folder, name);
  const steps = Math.max(1, Math.round(bytes / small / (2048 * ((min + max) / 2))));
  const run = { directory, steps, promptsPerStep: 128, rolloutsPerPrompt: 16, seed: 1, lineBytes: { min, max } };
  const written = await writeMetisRun(run);
  return { directory, ...written };
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
const threads = String(Math.min(8, availableParallelism()));

async function throughput(name, size, aim) {
  const run = await generated(name, size);
  const bare = await best(2, () => runNode([join(root, 'test', 'bench', 'readJson.mjs'), run.directory, threads]));
  let out = '';
  const index = await best(2, async () => {
    out = await mkdtemp(join(folder, 'index-'));
    return runNode([cli, 'index', run.directory, '--out', out]);
  });
  const ratio = index.seconds / bare.seconds;
  report(
    `index ${name}`,
    `${ratio.toFixed(2)} × DuckDB's read_json (aim: at most ${aim}); ${run.rollouts} rollouts, ${megabytes(run.bytes)}, ` +
      `${megabytes(run.bytes / index.seconds)}/s against ${megabytes(run.bytes / bare.seconds)}/s; peak ${megabytes(index.peakBytes)}`,
    {
      ratio,
      aim,
      bytes: run.bytes,
      rollouts: run.rollouts,
      seconds: index.seconds,
      bareSeconds: bare.seconds,
      peakBytes: index.peakBytes,
    },
  );
  return { ...run, index: out, indexSeconds: index.seconds };
}

function reportReplay({ tokens, vocabulary, policyShare, ...measured }) {
  const rate = (value) => `${(tokens / value).toFixed(0)} tokens/s`;
  const share = (part) => `${Math.round(100 * part)} % scored`;
  const where = (part) => `${tokens} tokens, ${share(part)}, vocabulary ${vocabulary}, on the CPU`;
  const peaks = ({ oursPeakBytes, otherPeakBytes }) =>
    `peak ${megabytes(oursPeakBytes ?? 0)} against ${megabytes(otherPeakBytes ?? 0)}`;
  const rates = (one) => `${rate(one.ours)} against ${rate(one.other)}, ${peaks(one)}`;
  for (const [part, bare, logits] of [
    [policyShare, measured.sharedScoring, measured.sharedLogits],
    [1, measured.scoring, measured.logits],
  ]) {
    report(
      `replay, ${share(part)}`,
      `${(1 / bare.ratio).toFixed(2)} × a bare session.run loop over the same graph (best rounds ${(1 / bare.bestRatio).toFixed(2)}; aim: at least 0.95); ${where(part)}: ${rates(bare)}`,
      { ...bare, aim: 0.95 },
    );
    report(
      `replay in the graph, ${share(part)}`,
      `${(1 / logits.ratio).toFixed(1)} × as fast as full logits with log-softmax of the same tokens in JavaScript (aim: at least 5); ${where(part)}: ${rates(logits)}`,
      { ...logits, aim: 5 },
    );
  }
  const { decoding, transformers, batch } = measured;
  const perToken = (one) =>
    `${(1000 * one.ours).toFixed(1)} ms a token against ${(1000 * one.other).toFixed(1)} ms, ${peaks(one)}`;
  report(
    'replay, generating',
    `${decoding.ratio.toFixed(2)} × the time of the bare loop (best rounds ${decoding.bestRatio.toFixed(2)}; aim: at most 1.1): ${perToken(decoding)}; ` +
      `16 samples in a batch: ${batch.speedup.toFixed(1)} × as fast as one by one`,
    { ...decoding, aim: 1.1, batch },
  );
  report(
    'replay, transformers.js',
    'missing' in transformers
      ? `not compared: ${transformers.missing.slice(0, 120)} (it is no dependency; name its node_modules in NODE_PATH)`
      : `generating takes ${transformers.ratio.toFixed(2)} × its time on the same files: ${perToken(transformers)}`,
    transformers,
  );
}

try {
  console.log(`${threads} threads, Node ${process.version}, sizes ${small === 1 ? 'whole' : 'a tenth'}\n`);
  const long = await throughput('1 GB of 30–100 KB lines', { bytes: 1e9, min: 30_000, max: 100_000 }, 2);
  await throughput('300 MB of 8 KB lines', { bytes: 3e8, min: 8_000, max: 8_000 }, 3);

  const reopened = await best(2, () => runNode([cli, 'describe', long.directory, '--json', '--index', long.index]));
  report(
    'reopen an indexed run',
    `${(reopened.seconds / long.indexSeconds).toFixed(3)} × indexing it (${reopened.seconds.toFixed(2)} s as a whole process)`,
    { ratio: reopened.seconds / long.indexSeconds, seconds: reopened.seconds },
  );
  await rm(long.directory, { recursive: true });

  const many = await generated('400,000 rollouts', { bytes: 3.2e9, min: 8_000, max: 8_000 });
  const rules = await rulesBench({ root, directory: many.directory, times: 2 });
  report(
    'redundancy rules while indexing',
    `${rules.ratio.toFixed(2)} × indexing without them (aim: at most 1.3); ${many.rollouts} rollouts in 8 KB lines, ` +
      `${rules.seconds.toFixed(1)} s against ${rules.bareSeconds.toFixed(1)} s`,
    { ...rules, aim: 1.3, rollouts: many.rollouts },
  );
  const curated = await curateBench({ root, directory: many.directory, storage: join(folder, 'curate-storage') });
  report(
    'curation',
    `${curated.rollouts} rollouts: facts read once in ${curated.readSeconds.toFixed(0)} s, ${megabytes(curated.bytes)} more (aim: under 200 MB); ` +
      `funnel of SFT in ${curated.sftSeconds.toFixed(1)} s, after a threshold moved ${curated.movedSeconds.toFixed(1)} s, of RL ${curated.rlSeconds.toFixed(1)} s`,
    { ...curated, aim: 2e8 },
  );
  await rm(many.directory, { recursive: true });

  const memory = await generated('3 GB', { bytes: 3e9, min: 8_000, max: 100_000 });
  const engine = await engineBench({ root, directory: memory.directory, storage: join(folder, 'storage') });
  report(
    'engine, peak while indexing 3 GB',
    `${megabytes(engine.peakBytes)} resident (aim: under 500 MB); ${engine.rollouts} rollouts in ${engine.seconds.toFixed(0)} s`,
    engine,
  );
  await rm(memory.directory, { recursive: true });

  const large = join(folder, 'large');
  await writeMetisRun({
    directory: large,
    steps: 1,
    promptsPerStep: 1,
    rolloutsPerPrompt: 2,
    seed: 1,
    lineBytes: { min: 1e7, max: 1e7 },
  });
  const opened = await engineBench({ root, directory: large, storage: join(folder, 'large-storage') });
  report(
    'transcript of a 10 MB record',
    `${(opened.transcriptSeconds * 1000).toFixed(0)} ms from question to text of ${megabytes(opened.transcriptBytes)} (aim: first line under 1 s)`,
    { seconds: opened.transcriptSeconds, bytes: opened.transcriptBytes },
  );

  const replay = await replayBench({ root, folder, tokens: Math.round(2048 / small), vocabulary: 151_936 });
  reportReplay(replay);

  const charts = await chartsBench({ rollouts: 400_000 / small });
  for (const [label, frames] of Object.entries(charts.frames)) {
    report(`charts, redraw by ${label}`, `${framesText(frames)}; ${charts.rollouts} rollouts`, frames);
  }
  const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(1)} s`;
  report(
    'charts, first draw',
    `curves ${seconds(charts.curvesMs)}, densities and list ${seconds(charts.samplesMs)} from a cold browser`,
    { curvesMs: charts.curvesMs, samplesMs: charts.samplesMs },
  );

  const bundles = {};
  for (const name of (await readdir(join(root, 'dist'))).filter((file) => /\.(c?js|css)$/.test(file))) {
    bundles[name] = (await stat(join(root, 'dist', name))).size;
  }
  const list = Object.entries(bundles).map(([name, bytes]) => `${name} ${(bytes / 1000).toFixed(0)} KB`);
  report('bundles', list.join(', '), bundles);
} finally {
  await rm(folder, { recursive: true, force: true });
}
await mkdir(join(root, 'out'), { recursive: true });
await writeFile(join(root, 'out', 'bench.json'), `${JSON.stringify(results, null, 2)}\n`);
console.log('\nwritten to out/bench.json');
