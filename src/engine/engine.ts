/**
 * The engine: answers every question of protocol/engine.ts out of a library of open runs, and tells what changed.
 * Runs in its own process (processes/engineMain.ts); tests call it directly. Leaves out the port, indexing
 * (runIndex.ts) and the text of a transcript (transcript/).
 */
import { stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { messageOf, UserError } from '../base/errors.ts';
import {
  noFilter,
  type Discovery,
  type EngineApi,
  type EngineEvents,
  type RolloutRef,
  type RolloutRow,
  type RunId,
  type RunSummary,
} from '../protocol/engine.ts';
import type { CurationEvents } from '../protocol/curation.ts';
import type { Emitter, Handlers } from '../protocol/rpc.ts';
import {
  groupsPage,
  rolloutAt,
  rolloutAtLine,
  rolloutsOfFile,
  rolloutsPage,
  searchRollouts,
} from '../store/questions.ts';
import { renderRest, renderTranscript } from '../transcript/renderTranscript.ts';
import { curationHandlers } from './curation/curationHandlers.ts';
import type { AskJudge } from './curation/judgeRows.ts';
import { createEventTeller } from './eventTeller.ts';
import { fileError } from './fileSource.ts';
import type { FileEntry } from './fileEntry.ts';
import { imageSlice } from './imageSlice.ts';
import { tokenPage } from './tokenPage.ts';
import { openLibrary, type Library, type LibraryOptions } from './library.ts';
import { flagHandlers, type FlagHandlerOptions } from './flagHandlers.ts';
import { flagById } from './flagReport.ts';
import { openKeptGains } from './keptGains.ts';
import { mappingHandlers } from './mappingHandlers.ts';
import { entryOf, explain, readEpisode, type Episode } from './readEpisode.ts';
import { replayHandlers, type ReplayHandlerOptions } from './replayHandlers.ts';
import { createRolloutReader } from './rolloutReader.ts';
import { questionHandlers, type AskRun } from './questionHandlers.ts';
import { curvesOf, fitting, notesPage, pageOf, rolloutRow, sliceOf, unindexedRow } from './rows.ts';
import { jsonFoldersOf } from './runFiles.ts';
import type { RunIndex } from './runIndex.ts';
import { openVerdicts } from './verdicts.ts';

/** An engine: what to serve on a port, and how to end it. */
export interface Engine {
  readonly handlers: Handlers<EngineApi>;
  readonly library: Library;
  dispose(): Promise<void>;
}

/** How an engine is made. */
export interface EngineOptions extends Omit<LibraryOptions, 'events' | 'watch'> {
  readonly tell: Emitter<EngineEvents>;
  /** Hears of the progress of a curation; absent where nobody listens. */
  readonly tellCuration?: Emitter<CurationEvents>;
  /** Sends one prompt to a judge; absent where nobody can. */
  readonly askJudge?: AskJudge;
}

/** Notes that the answer to a search carries, beside up to 1,000 runs. */
const searchNotes = 100;

/** Questions wait this long for what the index folder has of a run that was just opened. */
const loadLimitMs = 3_000;

/** A log file in its run; `file` is its name in rows. */
interface Holder {
  readonly run: RunIndex;
  readonly entry: FileEntry;
  readonly file: string;
}

/** Opens an engine without runs. */
export async function createEngine({ tell, tellCuration, askJudge, ...options }: EngineOptions): Promise<Engine> {
  const log = (level: 'debug' | 'info' | 'warn' | 'error', message: string): void => {
    tell.log({ level, message });
  };
  const summaries = (): readonly RunSummary[] => library.runs().map((run) => run.summary());
  const teller = createEventTeller({
    runs: () => {
      tell.runsChanged({ runs: summaries() });
    },
    steps: (run, steps) => {
      tell.stepsChanged({ run, steps });
    },
  });
  const library = await openLibrary({
    ...options,
    watch: 'poll',
    events: {
      changed: (run, steps) => {
        teller.changed(run?.id ?? null, steps);
      },
      failed: (error) => {
        log('error', error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
      },
      log,
    },
  });
  const rollouts = createRolloutReader(library.contents);
  const verdicts = openVerdicts(options.storage);
  const gains = openKeptGains(options.storage);

  /** An open run whose shards are in its table. */
  const loadedRun = async (id: RunId): Promise<RunIndex> => {
    const run = library.run(id);
    await run.loaded(loadLimitMs);
    return run;
  };

  /** Asks a run; its table is gone once it is closed, which is no bug of the question. */
  const whileOpen = async <T>(run: RunIndex, ask: (run: RunIndex) => Promise<T>): Promise<T> => {
    try {
      return await ask(run);
    } catch (error) {
      if (library.runs().includes(run)) throw error;
      throw new UserError('This run was closed before the answer was ready.', 'Open its folder or file again.');
    }
  };

  const runAt = async (id: RunId, path: string, signal: AbortSignal): Promise<RunIndex> => {
    if (library.runs().some((run) => run.id === id)) return loadedRun(id);
    // It comes with a restored tab, so it can be anything.
    if (!isAbsolute(path)) throw new UserError('This run is not open.', 'Open its folder or file again.');
    await library.open(path, signal);
    return loadedRun(id);
  };

  /** The run of a log file, opened if need be; null if the file is no rollout log. */
  const holderOf = async (path: string): Promise<Holder | null> => {
    const known = await library.runOfFile(path);
    if (!known && (await library.heads.look(path, await stampOf(path))).kind === 'other') return null;
    const run = known?.run ?? (await library.open(path)).runs[0];
    if (!run) return null;
    await run.loaded(loadLimitMs);
    const file = run.relativePath(known?.path ?? resolve(path));
    return { run, entry: entryOf(run, file), file };
  };

  const locate = async (
    { run, entry, file }: Holder,
    line: number,
    signal: AbortSignal,
  ): Promise<RolloutRow | null> => {
    // Its lines are in no editor: those of a compressed file are not its rollouts' lines.
    if (entry.found.wrapper !== undefined) return null;
    const near = await rolloutAtLine(run.table, file, line);
    if (near?.line === line) return rolloutRow(run.id, near);
    if (entry.state === 'done' && (await rollouts.container(entry.found)) === 'jsonl') return null;
    if (entry.state === 'done') {
      const stored = near ?? (await rolloutsOfFile(run.table, { file, first: 0, count: 1 }, signal)).rows[0];
      return stored ? rolloutRow(run.id, stored) : null;
    }
    run.files.prioritise(entry.found.path);
    const rollout = await rollouts.find(entry.found, { line }, signal);
    if (!rollout) return null;
    const ref = { run: run.id, file, row: rollout.place.row };
    return unindexedRow(ref, rollout, rollout.step ?? entry.found.step ?? 0);
  };

  const askRun: AskRun = async (run, ask) => whileOpen(await loadedRun(run), ask);

  const withEpisode: ReplayHandlerOptions['withEpisode'] = async ({ ref, path }, ask, signal) => {
    const kept = { verdicts: await verdicts.all(), gains: await gains.all() };
    const run = await runAt(ref.run, path, signal);
    return whileOpen(run, async () => ask(run, await readEpisode(run, ref, { reader: rollouts, signal, ...kept })));
  };

  const episodeAt = (ref: RolloutRef, path: string, signal: AbortSignal): Promise<Episode> =>
    withEpisode({ ref, path }, (_, episode) => Promise.resolve(episode), signal);

  const flagOf: FlagHandlerOptions['flagOf'] = async ({ ref, path, flag }, signal) => {
    const { rollout, report } = await episodeAt(ref, path, signal);
    return flagById(rollout, report, flag);
  };

  const handlers: Handlers<EngineApi> = {
    discover: async ({ roots }, signal): Promise<Discovery> => {
      const scan = await library.discover(roots, signal);
      return {
        runs: summaries(),
        folders: scan.folders.length,
        files: scan.files,
        notes: notesPage(scan.notes, { first: 0, count: searchNotes }).rows,
      };
    },
    open: async ({ path }, signal) => (await library.open(path, signal)).runs.map((run) => run.summary()),
    close: async ({ run }) => {
      await library.close(run);
      return null;
    },
    cancelIndexing: ({ run }) => {
      for (const one of run === null ? library.runs() : [library.run(run)]) one.files.pause();
      teller.changed(null, null);
      return null;
    },
    resumeIndexing: ({ run }) => {
      for (const one of run === null ? library.runs() : [library.run(run)]) one.files.resume();
      teller.changed(null, null);
      return null;
    },
    runs: () => summaries(),
    setRewardThreshold: async ({ run, threshold }) => {
      if (!Number.isFinite(threshold)) throw new UserError('The reward threshold must be a number.');
      await (await loadedRun(run)).setThreshold(threshold);
      return null;
    },
    steps: async ({ run, ...page }) => sliceOf((await loadedRun(run)).steps(), page),
    groups: async ({ run, step, ...page }, signal) =>
      whileOpen(await loadedRun(run), async ({ table }) =>
        fitting(await groupsPage(table, { step, ...pageOf(page) }, signal)),
      ),
    rollouts: async ({ run, step, group, filter, ...slice }, signal) =>
      whileOpen(await loadedRun(run), async ({ table }) => {
        const page = await rolloutsPage(table, { ...noFilter, ...filter, step, group, ...pageOf(slice) }, signal);
        return fitting({ rows: page.rows.map((stored) => rolloutRow(run, stored)), total: page.total });
      }),
    search: async ({ run, text, limit }, signal) => {
      const rows: RolloutRow[] = [];
      const wanted = pageOf({ first: 0, count: limit }).count;
      for (const one of run === null ? library.runs() : [library.run(run)]) {
        if (rows.length >= wanted) break;
        await one.loaded(loadLimitMs);
        const limit = wanted - rows.length;
        const found = await whileOpen(one, ({ table }) => searchRollouts(table, { text, limit }, signal));
        rows.push(...found.map((stored) => rolloutRow(one.id, stored)));
      }
      return fitting({ rows, total: rows.length }).rows;
    },
    locate: async ({ path, line }, signal) => {
      const holder = await holderOf(path);
      return holder && whileOpen(holder.run, () => locate(holder, line, signal));
    },
    linesOf: async ({ path, ...page }, signal) => {
      const holder = await holderOf(path);
      if (!holder) return { rows: [], total: 0 };
      const { run, entry, file } = holder;
      if (entry.state !== 'done') run.files.prioritise(entry.found.path);
      const slice = { file, ...pageOf(page) };
      const { rows, total } = await whileOpen(run, ({ table }) => rolloutsOfFile(table, slice, signal));
      return fitting({ rows: rows.map((stored) => rolloutRow(run.id, stored)), total });
    },
    explain: async ({ ref }) => {
      const explanation = await whileOpen(await loadedRun(ref.run), async (run) => {
        const stored = await rolloutAt(run.table, ref.file, ref.row);
        return stored && explain(run, stored);
      });
      if (explanation) return explanation;
      throw new UserError(`${ref.file} is not indexed that far yet.`, 'Wait until the run is read, then try again.');
    },
    transcript: async ({ ref, path, rest }, signal) => {
      const { rollout, context } = await episodeAt(ref, path, signal);
      const { text, ...document } = rest
        ? renderRest(rollout, rest.turn, rest.part, context)
        : renderTranscript(rollout, context);
      return { ...document, bytes: new TextEncoder().encode(text) };
    },
    image: async ({ ref, path, image, first }, signal) => {
      const { rollout } = await episodeAt(ref, path, signal);
      return imageSlice(rollout, image, first);
    },
    tokens: async ({ ref, path, turn, first }, signal) => {
      const { rollout } = await episodeAt(ref, path, signal);
      return tokenPage(rollout, turn, first);
    },
    curves: async ({ run, first }) => curvesOf(run, (await loadedRun(run)).steps(), first),
    ...mappingHandlers(library),
    ...questionHandlers(askRun),
    ...flagHandlers({ library, verdicts, ask: askRun, flagOf }),
    ...replayHandlers({ gains, reader: rollouts, withEpisode }),
    ...curationHandlers({
      storage: options.storage,
      temporaryFolder: library.temporaryFolder,
      contents: library.contents,
      reader: rollouts,
      loaded: loadedRun,
      isOpen: (id) => library.runs().some((run) => run.id === id),
      tell: tellCuration ?? { curationProgress: () => undefined },
      askJudge: askJudge ?? null,
    }),
    notes: ({ run, ...page }) => notesPage(library.run(run).notes(), page),
    jsonFolders: ({ run }) => jsonFoldersOf(library.run(run).found()),
    fileKind: async ({ path }) => {
      const look = await library.heads.look(path, await stampOf(path));
      switch (look.kind) {
        case 'log':
          return { format: look.recognition.format, description: look.recognition.producer, text: look.text };
        case 'other':
          return { format: null, description: look.description, text: false };
        case 'unreadable':
          throw look.error;
      }
    },
  };

  return {
    handlers,
    library,
    dispose: async () => {
      teller.dispose();
      await library.dispose();
    },
  };
}

async function stampOf(path: string): Promise<{ readonly sizeBytes: number; readonly mtimeMs: number }> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { sizeBytes: size, mtimeMs };
  } catch (error) {
    throw fileError(path, error);
  }
}
