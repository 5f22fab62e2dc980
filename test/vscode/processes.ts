// What runs below a process, read from /proc: which engine serves a window, how much memory it holds, what to kill.
//
// Linux only, like code-server here. Leaves out: processes that are not ours (callers start from their own child's id).
import { readFileSync, readdirSync } from 'node:fs';

/** A living process; `startTicks` tells it from a later one with the same id. */
export interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  readonly startTicks: string;
  /** Its command line, arguments separated by spaces. */
  readonly command: string;
  readonly residentBytes: number;
}

/** Every process below the given one (not itself), parents before children. */
export function descendants(root: number | undefined): readonly RunningProcess[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((found) => found !== undefined);
  const found: RunningProcess[] = [];
  let level = all.filter(({ parent }) => parent === root);
  while (level.length > 0) {
    found.push(...level);
    const parents = new Set(level.map(({ pid }) => pid));
    level = all.filter(({ parent }) => parents.has(parent));
  }
  return found;
}

/** Whether this very process still runs (a zombie does not, nor a later process that got its id). */
export function stillRuns(process: RunningProcess): boolean {
  return readProcess(process.pid)?.startTicks === process.startTicks;
}

/** Sends a signal to a process, or to a group by its negated id; one that is gone already is no error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function readProcess(pid: number): RunningProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces and parentheses itself; the numbered fields start after its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, parent] = fields;
    const startTicks = fields[19];
    if (state === 'Z' || state === 'X' || parent === undefined || startTicks === undefined) return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
    return { pid, parent: Number(parent), startTicks, command, residentBytes: Number(resident) * 1024 };
  } catch {
    // It ended between listing and reading, which is the ordinary race of /proc.
    return undefined;
  }
}
