/**
 * Names that tell runs apart: "a.jsonl" in five folders becomes "a.jsonl (monday)", "a.jsonl (tuesday)", … by the shortest
 * part of the path above them that differs. Pure. Owned by the session, so that tree, legend and picks agree.
 * Leaves out the names themselves (the engine's).
 */

/** What is known of a run here. */
interface NamedRun {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

/** The same runs in the same order; those that share a name get a folder behind it. */
export function distinctNames<Run extends NamedRun>(runs: readonly Run[]): readonly Run[] {
  const byName = new Map<string, Run[]>();
  for (const run of runs) byName.set(run.name, [...(byName.get(run.name) ?? []), run]);
  const told = new Map<Run, string>();
  for (const namesakes of byName.values()) {
    if (namesakes.length < 2) continue;
    foldersOf(namesakes.map(({ path }) => path)).forEach((folder, index) => {
      const run = namesakes[index];
      if (run !== undefined && folder !== '') told.set(run, folder);
    });
  }
  return runs.map((run) => {
    const folder = told.get(run);
    return folder === undefined ? run : { ...run, name: `${run.name} (${folder})` };
  });
}

/** For each path the folders above it that tell it from the others, as few as do; '' where nothing does. */
function foldersOf(paths: readonly string[]): readonly string[] {
  const above = paths.map((path) =>
    path
      .split(/[\\/]/u)
      .filter((name) => name !== '')
      .slice(0, -1),
  );
  const most = Math.max(...above.map(({ length }) => length));
  for (let count = 1; count <= most; count += 1) {
    const ends = above.map((names) => names.slice(-count));
    if (new Set(ends.map((names) => names.join('/'))).size < paths.length) continue;
    // What is the same right above all of them tells nothing.
    while (ends.every((names) => names.length > 1 && names.at(-1) === ends[0]?.at(-1))) {
      for (const names of ends) names.pop();
    }
    return ends.map((names) => names.join('/'));
  }
  return paths.map(() => '');
}
