// Whole processes, measured: wall time and peak resident memory (Linux: VmHWM, which includes worker threads).
// Leaves out what is measured (bench.mjs).
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Peak resident bytes of a running process so far; null where the system does not say. */
export function peakResidentBytes(pid) {
  try {
    const match = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match ? Number(match[1]) * 1024 : null;
  } catch {
    return null;
  }
}

/** Resident bytes of a running process now; null where the system does not say. */
export function residentBytes(pid) {
  try {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match ? Number(match[1]) * 1024 : null;
  } catch {
    return null;
  }
}

/** Runs `node ARGS` to its end: `{ seconds, peakBytes, output }`. Rejects if it fails. */
export function runNode(args, options = {}) {
  return new Promise((resolve, reject) => {
    const started = process.hrtime.bigint();
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
    let output = '';
    let peakBytes = 0;
    const look = () => {
      peakBytes = Math.max(peakBytes, peakResidentBytes(child.pid) ?? 0);
    };
    const timer = setInterval(look, 20);
    child.stdout.on('data', (bytes) => {
      output += bytes;
      look();
    });
    child.once('error', reject);
    child.once('close', (code) => {
      clearInterval(timer);
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      if (code === 0) resolve({ seconds, peakBytes, output });
      else reject(new Error(`node ${args.join(' ')} ended with ${code}`));
    });
  });
}

/** The best of `times` runs: machines are noisy, and only ever in one direction. */
export async function best(times, run) {
  let found = null;
  for (let i = 0; i < times; i++) {
    const one = await run();
    if (found === null || one.seconds < found.seconds) found = one;
  }
  return found;
}
