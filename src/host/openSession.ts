/**
 * Makes the session: ties the engine (engineKeeper.ts), what is remembered (sessionMemory.ts) and VS Code's folders
 * together. One a window, disposed with the extension. Only folders on disk are searched (scheme file).
 * Leaves out everything that a view draws.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { isAbort, messageOf, UserError } from '../base/errors.ts';
import type { CurationEvents, JudgeHostApi } from '../protocol/curation.ts';
import type { EngineApi, RunId, RunSummary } from '../protocol/engine.ts';
import type { Client } from '../protocol/rpc.ts';
import { startChild, type Child } from './childProcess.ts';
import { onSettingChange, setting } from './config.ts';
import { distinctNames } from './distinctNames.ts';
import { keepEngine } from './engineKeeper.ts';
import { openJudge } from './judge.ts';
import { openLog } from './log.ts';
import { ruleSettingKeys, ruleSettings } from './ruleSettings.ts';
import type { CurationProgress, EngineState, SearchState, Selection, Session, StepsChange } from './session.ts';
import { openMemory } from './sessionMemory.ts';

/** Opens the session of this window; the engine is started by the first question, not here. */
export function openSession(context: vscode.ExtensionContext): Session {
  const log = openLog();
  const hasFolders = (vscode.workspace.workspaceFolders ?? []).length > 0;
  const memory = openMemory(hasFolders ? context.workspaceState : context.globalState);
  const changedRuns = new vscode.EventEmitter<readonly RunSummary[]>();
  const changedSteps = new vscode.EventEmitter<StepsChange>();
  const changedEngine = new vscode.EventEmitter<EngineState>();
  const changedSearch = new vscode.EventEmitter<SearchState>();
  const selected = new vscode.EventEmitter<Selection | null>();
  const progressed = new vscode.EventEmitter<CurationProgress>();
  const judge = openJudge(context);

  let runs: readonly RunSummary[] = [];
  let selection: Selection | null = null;
  let searchState: SearchState = { state: 'not started', folders: 0, files: 0 };
  let searching: Promise<void> | null = null;
  let reopening = false;
  const askedThresholds = new Map<RunId, number>();

  const setRuns = (all: readonly RunSummary[]) => {
    // By path: the order in which they were found changes from window to window.
    const shown = all
      .filter((run) => !memory.isClosed(run.id))
      .sort((a, b) => a.path.localeCompare(b.path, undefined, { numeric: true }) || (a.id < b.id ? -1 : 1));
    runs = distinctNames(shown);
    applyThresholds();
    changedRuns.fire(runs);
  };
  const setSearch = (next: SearchState) => {
    searchState = next;
    changedSearch.fire(next);
  };
  const failed = (what: string, error: unknown) => {
    if (!isAbort(error)) log.warn(`${what}: ${messageOf(error)}`);
  };

  /** A run that is open in a new engine, under every path that was open in the old one. */
  const prepare = async (engine: Client<EngineApi>) => {
    askedThresholds.clear();
    // Before any run is opened, so that none is computed twice.
    await engine.setRules({ rules: ruleSettings() }).catch((error: unknown) => failed('rules', error));
    const opened = [...new Set(runs.map((run) => run.path))];
    reopening = true;
    try {
      await Promise.all(
        opened.map((file) => engine.open({ path: file }).catch((error: unknown) => failed(file, error))),
      );
    } finally {
      reopening = false;
    }
    if (opened.length > 0) setRuns(await engine.runs({}));
    if (searchState.state === 'done') {
      engine.discover({ roots: searchRoots() }).catch((error: unknown) => failed('search', error));
    }
  };

  const keeper = keepEngine({
    start: () => startEngine(context, log),
    prepare,
    events: {
      // While a new engine opens them one after the other, the tree keeps the runs it had, and what is expanded in them.
      runsChanged: ({ runs: all }) => {
        if (!reopening) setRuns(all);
      },
      stepsChanged: (change) => changedSteps.fire(change),
      log: ({ level, message }) => log[level](`engine: ${message}`),
    },
    serve: (connection) => {
      connection.serve<JudgeHostApi>(judge.handlers);
      connection.on<CurationEvents>({ curationProgress: (progress) => progressed.fire(progress) });
    },
    state: (state, reason) => {
      if (state === 'died') log.error(`The engine ended: ${reason ?? '?'}`);
      else log.info(`The engine is ${state} (process ${keeper.pid ?? '?'}).`);
      changedEngine.fire(state);
    },
    diedMessage: (reason) => ({
      message: vscode.l10n.t('The engine that reads logs ended before it could answer ({0}).', reason),
      action: vscode.l10n.t('Try again: it starts anew with the next question.'),
    }),
  });
  const { engine } = keeper;

  const applyThresholds = () => {
    for (const run of runs) {
      const wanted = memory.threshold(run.id) ?? setting('rewardThreshold', vscode.Uri.file(run.path));
      if (run.rewardThreshold === null || run.rewardThreshold === wanted) continue;
      if (askedThresholds.get(run.id) === wanted) continue;
      askedThresholds.set(run.id, wanted);
      engine
        .setRewardThreshold({ run: run.id, threshold: wanted })
        .catch((error: unknown) => failed('reward threshold', error));
    }
  };

  const refreshRuns = async () => setRuns(await engine.runs({}));

  const search = async () => {
    const roots = searchRoots();
    const remembered = memory.openedPaths();
    if (roots.length === 0 && remembered.length === 0) {
      setSearch({ state: 'done', folders: 0, files: 0 });
      return;
    }
    setSearch({ ...searchState, state: 'searching' });
    let { folders, files } = searchState;
    try {
      await Promise.all(
        remembered.map((file) => engine.open({ path: file }).catch((error: unknown) => failed(file, error))),
      );
      const found = await engine.discover({ roots });
      ({ folders, files } = found);
      log.info(
        `Looked at ${files} files in ${folders} folders below ${roots.join(', ')}: ${found.runs.length} runs found.`,
      );
      for (const note of found.notes) log.warn(`${note.file}: ${note.message}`);
      await refreshRuns();
    } finally {
      setSearch({ state: 'done', folders, files });
    }
  };

  const subscriptions = [
    log,
    changedRuns,
    changedSteps,
    changedEngine,
    changedSearch,
    selected,
    progressed,
    judge,
    onSettingChange(['rewardThreshold'], applyThresholds),
    onSettingChange(ruleSettingKeys, () => {
      // An engine that starts later reads them then.
      if (keeper.state !== 'running') return;
      engine.setRules({ rules: ruleSettings() }).catch((error: unknown) => failed('rules', error));
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      if (searchState.state === 'not started') return;
      // A search that is under way looks below the folders that there were.
      const before = searching?.catch(() => undefined);
      Promise.resolve(before)
        .then(() => session.search())
        .catch((error: unknown) => failed('search', error));
    }),
  ];

  const session: Session = {
    engine,
    log,
    get runs() {
      return runs;
    },
    onDidChangeRuns: changedRuns.event,
    onDidChangeSteps: changedSteps.event,
    get engineState() {
      return keeper.state;
    },
    onDidChangeEngine: changedEngine.event,
    get enginePid() {
      return keeper.pid;
    },
    run: (id) => runs.find((run) => run.id === id),
    get selection() {
      return selection;
    },
    select: (next) => {
      selection = next;
      selected.fire(next);
    },
    onDidSelect: selected.event,
    judge,
    onDidProgressCuration: progressed.event,
    colourOf: (id) =>
      memory.colourOf(
        id,
        runs.map((run) => run.id),
      ),
    search: () => {
      searching ??= search().finally(() => {
        searching = null;
      });
      return searching;
    },
    get searchState() {
      return searchState;
    },
    onDidChangeSearch: changedSearch.event,
    open: async (file) => {
      const opened = await engine.open({ path: file });
      if (opened.length === 0) throw nothingIn(file);
      memory.rememberOpened(file);
      memory.setReopened(opened.map((run) => run.id));
      await refreshRuns();
      return opened;
    },
    close: async (id) => {
      const run = runs.find((candidate) => candidate.id === id);
      if (run !== undefined) memory.forgetOpened(run.path);
      memory.setClosed([id]);
      await engine.close({ run: id });
      if (selection?.run === id) session.select(null);
      await refreshRuns();
    },
    setRewardThreshold: async (id, threshold) => {
      memory.setThreshold(id, threshold);
      askedThresholds.set(id, threshold);
      await engine.setRewardThreshold({ run: id, threshold });
    },
    dispose: () => {
      keeper.dispose();
      for (const subscription of subscriptions) subscription.dispose();
    },
  };
  return session;
}

function searchRoots(): readonly string[] {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders.filter((folder) => folder.uri.scheme === 'file').map((folder) => folder.uri.fsPath);
}

async function startEngine(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): Promise<Child> {
  const storage = context.globalStorageUri.fsPath;
  try {
    await mkdir(storage, { recursive: true });
  } catch (error) {
    throw new UserError(
      vscode.l10n.t('The folder for the index cannot be made: {0} ({1}).', storage, messageOf(error)),
      vscode.l10n.t('Check the rights and the free space of that disk.'),
    );
  }
  return startChild({
    modulePath: path.join(context.extensionPath, 'dist', 'engineMain.cjs'),
    argv: [
      JSON.stringify({
        storage,
        // The sample runs are there at once: shards fit whatever machine built them (scripts/package.mjs).
        shippedIndex: path.join(context.extensionPath, 'media', 'sample', 'index'),
        maximumIndexMegabytes: setting('index.maximumSize'),
        memoryLimitMegabytes: setting('index.memoryLimit'),
        rewardThreshold: setting('rewardThreshold'),
      }),
    ],
    workingFolder: storage,
    output: (line) => log.info(`engine: ${line}`),
  });
}

function nothingIn(file: string): UserError {
  return new UserError(
    vscode.l10n.t('{0} holds no rollout log that can be read.', file),
    vscode.l10n.t('Choose a log file, or the folder with the dumps of each step.'),
  );
}
