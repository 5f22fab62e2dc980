/**
 * The player's panel: one, restored after a reload. Owns its two models and the open episode, answers the page out of the
 * engine and the replayers, and keeps page and transcript on the same turn.
 * Leaves out the page (webview/replay), the models' processes (sideModel.ts) and the commands (activateReplay.ts).
 */
import { randomInt, randomUUID } from 'node:crypto';
import path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../base/errors.ts';
import { isObject } from '../../base/json.ts';
import { asRolloutRef } from '../../host/commandTable.ts';
import { setting } from '../../host/config.ts';
import { croppedPictures } from '../../host/croppedPictures.ts';
import type { OpenTranscripts } from '../../host/openTranscripts.ts';
import { loadPage, portOfPanel } from '../../host/panel.ts';
import type { Session } from '../../host/session.ts';
import type {
  KeptBranch,
  PlayerEvents,
  PlayerHostApi,
  PlayerKept,
  PlayerKey,
  PlayerSide,
} from '../../protocol/player.ts';
import { playerTexts } from '../../protocol/playerTexts.ts';
import type { RolloutRef } from '../../protocol/engine.ts';
import type { BranchRequest, CallGain, KeptGain, ReplayEpisode } from '../../protocol/replay.ts';
import { openConnection, type Handlers, type ParamsOf } from '../../protocol/rpc.ts';
import { showBranchDiff } from './branchDocuments.ts';
import { openBranchStore, type BranchStore } from './branchStore.ts';
import { branchesForPage } from './branchTexts.ts';
import { chooseModel } from './chooseModel.ts';
import { openEstimateStore } from './estimateStore.ts';
import { columnBeside, followTurn, openBeside, watchTurns } from './linkedTranscript.ts';
import { bundledFor, rememberedModel, rememberModel, replayStorage } from './modelSources.ts';
import { playerEpisode } from './playerEpisode.ts';
import { makeSideModel, type SideModel } from './sideModel.ts';

/** What the player needs of the extension. */
export interface PlayerDependencies {
  readonly context: vscode.ExtensionContext;
  readonly session: Session;
  readonly transcripts: OpenTranscripts;
}

/** The open panel. */
export interface PlayerPanel {
  readonly show: (wanted: PlayerKept) => void;
  /** The rollout that is played; null before there is one. */
  readonly current: () => RolloutRef | null;
  readonly press: (key: PlayerKey) => void;
  readonly choose: (side: PlayerSide) => Promise<void>;
  /** Loads the models again, after something they need was installed. */
  readonly reload: () => Promise<void>;
}

/** The branches that are kept, in our storage. */
export function keptBranches(context: vscode.ExtensionContext): BranchStore {
  return openBranchStore(path.join(replayStorage(context), 'branches'));
}

/** Fills a panel, new or restored; `closed` is called when it goes. */
export function adoptPlayer(
  panel: vscode.WebviewPanel,
  dependencies: PlayerDependencies,
  { first, closed }: { readonly first: PlayerKept | null; readonly closed: (player: PlayerPanel) => void },
): PlayerPanel {
  const { context, session, transcripts } = dependencies;
  const { engine, log } = session;
  const branches = keptBranches(context);
  const estimates = openEstimateStore(path.join(replayStorage(context), 'estimates'));
  const connection = openConnection(portOfPanel(panel));
  const events = connection.emitter<PlayerEvents>();
  let current = first;
  let episode: ReplayEpisode | null = null;
  let prepared: string | null = null;

  /** A hidden page is gone, and asks again when it is shown. */
  const tell = (say: () => void): void => {
    if (panel.visible) say();
  };
  const sideOf = (side: PlayerSide): SideModel =>
    makeSideModel(
      { context, log },
      {
        changed: (model) => {
          tell(() => {
            events.modelChanged({ side, model });
          });
        },
        scored: (event) => {
          tell(() => {
            events.scored({ side, ...event });
          });
        },
        branchText: (event) => {
          tell(() => {
            events.branchText({ side, ...event });
          });
        },
        progress: (event) => {
          tell(() => {
            events.progress({ side, ...event });
          });
        },
      },
    );
  const sides: Readonly<Record<PlayerSide, SideModel>> = { main: sideOf('main'), other: sideOf('other') };

  const known = (): PlayerKept => {
    if (current !== null) return current;
    throw new UserError(playerTexts.noEpisode);
  };
  const opened = (): ReplayEpisode => {
    if (episode !== null) return episode;
    throw new UserError(playerTexts.noEpisode);
  };

  /** The models that the run remembers, once a run and while the workspace is trusted. */
  const prepareModels = async (): Promise<void> => {
    const { ref } = known();
    const key = `${ref.run} ${vscode.workspace.isTrusted}`;
    if (prepared === key) return;
    prepared = key;
    if (!vscode.workspace.isTrusted) {
      const reason = vscode.l10n.t('In Restricted Mode no model is loaded: this is a plain replay.');
      await Promise.all(Object.values(sides).map((side) => side.take(null, reason)));
      return;
    }
    await Promise.all(
      (['main', 'other'] as const).map(async (side) => {
        const wanted = rememberedModel(context, ref.run, side);
        if (wanted !== sides[side].id || sides[side].model.state === 'none') await sides[side].take(wanted);
      }),
    );
  };
  const take = async (side: PlayerSide, id: string | null): Promise<void> => {
    if (!vscode.workspace.isTrusted) return;
    await rememberModel(context, known().ref.run, { [side]: id });
    await sides[side].take(id);
  };
  const ask = async (side: PlayerSide): Promise<void> => {
    known();
    if (!vscode.workspace.isTrusted) {
      throw new UserError(
        vscode.l10n.t('In Restricted Mode no model is loaded.'),
        vscode.l10n.t('Trust this workspace first.'),
      );
    }
    const title = side === 'main' ? vscode.l10n.t('Choose the Model That Speaks') : vscode.l10n.t('Compare With');
    const chosen = await chooseModel(context, { title, current: sides[side].id });
    if (chosen !== undefined) await take(side, chosen);
  };

  const modelName = (side: PlayerSide): string => {
    const { model } = sides[side];
    return model.state === 'ready' ? playerTexts.speaking(model.name, model.facts) : '';
  };
  const branch = async (
    { side, turn, intervention }: ParamsOf<PlayerHostApi['branch']>,
    signal: AbortSignal,
  ): Promise<KeptBranch> => {
    const of = known();
    const replayer = await sides[side].ready(signal);
    const { temperature, topP } = opened();
    const request: BranchRequest = {
      id: randomUUID(),
      turn,
      intervention,
      samples: Math.max(1, Math.floor(setting('replay.samples'))),
      seed: randomInt(1, 1_000_000),
      temperature: temperature ?? 1,
      topP: topP ?? 1,
      maximumTokens: Math.max(1, Math.floor(setting('replay.maximumTokens'))),
    };
    const result = await replayer.branch({ request }, signal);
    const before = (await branches.all(of)).filter(
      (one) => one.result.request.turn === turn && one.result.request.intervention.kind === intervention.kind,
    );
    const name = playerTexts.branchName(playerTexts.interventions(intervention), turn + 1, before.length + 1);
    const kept = { name, model: modelName(side), result };
    await branches.add(of, kept);
    return kept;
  };
  const gains = async (side: PlayerSide, signal: AbortSignal): Promise<readonly CallGain[]> => {
    const of = known();
    const replayer = await sides[side].ready(signal);
    const { verdict } = await sides[side].score(signal);
    const found = await replayer.gains({}, signal);
    const made = await branches.all(of);
    const { calls } = opened();
    const kept = found.map((gain): KeptGain => {
      const turn = calls.find(({ call }) => call === gain.call)?.turn;
      const without = made.findLast(
        ({ result }) =>
          result.request.turn === turn &&
          result.request.intervention.kind === 'no call' &&
          result.provenanceId === gain.provenanceId,
      )?.result.intervention;
      return {
        ...gain,
        model: modelName(side),
        fits: verdict,
        without: without === undefined ? null : { right: without.right, judged: without.judged },
      };
    });
    await engine.keepGains({ ...of, gains: kept }, signal);
    await transcripts.refresh(of.ref);
    return found;
  };

  const handlers: Handlers<PlayerHostApi> = {
    episode: async ({ kept }, signal) => {
      current ??= asKept(kept);
      const wanted = known();
      const found = await engine.replayEpisode(wanted, signal);
      const { flags, marks } = await engine.transcript({ ...wanted, rest: null }, signal);
      // The same episode, when a page comes back: what was scored is still of it.
      const same = episode !== null && JSON.stringify(episode) === JSON.stringify(found);
      if (!same) episode = found;
      for (const side of Object.values(sides)) side.setEpisode(opened());
      panel.title = vscode.l10n.t('Replay: {0}', found.title);
      return playerEpisode(found, {
        kept: wanted,
        pictures: croppedPictures({ address: { ...wanted, rest: null }, flags, marks }),
        samples: setting('replay.samples'),
      });
    },
    bytes: ({ image, first: from }, signal) => engine.image({ ...known(), image, first: from }, signal),
    models: () => {
      // Loading takes a while, and tells through events.
      prepareModels().catch((error: unknown) => log.error(String(error)));
      return { main: sides.main.model, other: sides.other.model };
    },
    chooseModel: async ({ side, which }) => {
      const run = session.run(known().ref.run);
      if (which === 'bundled') await take(side, bundledFor(run?.name ?? ''));
      else if (which === 'none') await take(side, null);
      else await ask(side);
      return null;
    },
    restart: async ({ side, on }) => {
      await sides[side].restart(on);
      return null;
    },
    manageTrust: async () => {
      await vscode.commands.executeCommand('workbench.trust.manage');
      return null;
    },
    tokens: async ({ side, first: from }, signal) => {
      const replayer = await sides[side].ready(signal);
      return from === 0 ? replayer.open(opened(), signal) : replayer.more(from, signal);
    },
    score: ({ side }, signal) => sides[side].score(signal),
    decisions: async ({ side }, signal) => {
      const of = known();
      const found = await (await sides[side].ready(signal)).decisions({}, signal);
      const id = sides[side].facts?.provenanceId;
      return id === undefined ? found : [...found, ...(await estimates.of(of, id))];
    },
    estimate: async ({ side, turn }, signal) => {
      const of = known();
      const { temperature, topP } = opened();
      const samples = Math.max(1, Math.floor(setting('replay.samples')));
      const asked = { turn, samples, seed: 1, temperature: temperature ?? 1, topP: topP ?? 1 };
      const point = await (await sides[side].ready(signal)).estimate(asked, signal);
      await estimates.add(of, point);
      return point;
    },
    knownGains: async ({ side }, signal) => {
      const id = sides[side].facts?.provenanceId;
      const kept = await engine.keptGains(known(), signal);
      const own = kept.filter(({ provenanceId }) => provenanceId === id);
      return own.length === 0 ? null : own;
    },
    branch: async (params, signal) => {
      const kept = await branch(params, signal);
      return branchesForPage([kept])[0] ?? kept;
    },
    gains: ({ side }, signal) => gains(side, signal),
    branches: async () => branchesForPage(await branches.all(known())),
    renameBranch: async ({ id }) => {
      const of = known();
      const found = (await branches.all(of)).find(({ result }) => result.id === id);
      const name = await vscode.window.showInputBox({
        title: vscode.l10n.t('Rename Branch'),
        value: found?.name ?? '',
      });
      if (name === undefined || name.trim() === '') return null;
      await branches.rename(of, id, name.trim().slice(0, 200));
      return name.trim().slice(0, 200);
    },
    removeBranch: async ({ id }) => {
      await branches.remove(known(), id);
      return null;
    },
    diffBranch: async ({ id, arm, sample }) => {
      const found = (await branches.all(known())).find(({ result }) => result.id === id);
      const wanted = found?.result.samples.find((one) => one.arm === arm && one.sample === sample);
      if (found === undefined || wanted === undefined) throw new UserError(vscode.l10n.t('This branch is gone.'));
      await showBranchDiff(known(), found, { sample: wanted, viewColumn: columnBeside(panel) });
      return null;
    },
    follow: async (place) => {
      await followTurn(transcripts, known().ref, place);
      return null;
    },
    back: async ({ turn, call }) => {
      const argument = { ...known().ref, ...(call === null ? { turn } : { call }) };
      await openBeside(transcripts, known().ref, panel);
      await vscode.commands.executeCommand('rolloutLens.revealCall', argument);
      return null;
    },
  };
  connection.serve<PlayerHostApi>(handlers);

  const player: PlayerPanel = {
    show: (wanted) => {
      current = wanted;
      episode = null;
      tell(() => {
        events.episodeChanged({});
      });
      panel.reveal(undefined, false);
    },
    current: () => current?.ref ?? null,
    press: (key) => {
      tell(() => {
        events.key({ key });
      });
    },
    choose: ask,
    reload: async () => {
      const loaded = Object.values(sides).filter(({ id }) => id !== null);
      await Promise.all(loaded.map((side) => side.take(side.id)));
    },
  };
  const setVisible = (visible: boolean): void => {
    void vscode.commands.executeCommand('setContext', 'rolloutLens.replayVisible', visible);
  };
  const listeners = [
    watchTurns(
      transcripts,
      () => current?.ref ?? null,
      (turn) => {
        tell(() => {
          events.turnAsked({ turn });
        });
      },
    ),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      if (current !== null) prepareModels().catch((error: unknown) => log.error(String(error)));
    }),
    panel.onDidChangeViewState(() => {
      setVisible(panel.visible);
    }),
  ];
  setVisible(panel.visible);
  panel.onDidDispose(() => {
    setVisible(false);
    connection.dispose();
    for (const side of Object.values(sides)) side.dispose();
    for (const listener of listeners) listener.dispose();
    closed(player);
  });
  loadPage(panel.webview, context.extensionUri, { script: 'replay.js', style: 'replay.css', title: panel.title });
  return player;
}

/** What a page kept, checked: it comes from VS Code's storage. */
function asKept(kept: unknown): PlayerKept | null {
  if (!isObject(kept) || typeof kept.path !== 'string') return null;
  const ref = asRolloutRef(kept.ref);
  return ref === null ? null : { ref, path: kept.path };
}
