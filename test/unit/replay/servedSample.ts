/** A policy of the sample twice: loaded here, and behind a local server that answers as OpenAI's API does. One a test file. */
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { plainRequest } from '../../../src/cli/plainRequest.ts';
import { openModel, type OpenModel } from '../../../src/replay/openModel.ts';
import { createReplaySession, type ReplaySession } from '../../../src/replay/replaySession.ts';
import { startLocalServer, willing, type LocalServer } from './localServer.ts';
import { checkpointChoice, openedSample, type SampleEpisodes } from './sampleEpisodes.ts';

/** Hears nothing. */
export const nobody = () => undefined;

/** What a session tells, to nobody. */
export const tell = { scored: nobody, branchText: nobody, progress: nobody, log: nobody };

/** How models are opened: by plain requests, never aborted, telling nobody. */
export const options = { signal: new AbortController().signal, tell: nobody, request: plainRequest };

/** Both ends; the server is willing again before each test. */
export interface ServedSample {
  readonly sample: SampleEpisodes;
  localSession(): ReplaySession;
  server(): LocalServer;
}

/** Opens the start policy and its server before the tests of a file. */
export function servedSample(): ServedSample {
  const sample = openedSample();
  const parts: { local?: OpenModel; server?: LocalServer } = {};
  const local = (): OpenModel => {
    if (parts.local === undefined) throw new Error('no model');
    return parts.local;
  };
  const server = (): LocalServer => {
    if (parts.server === undefined) throw new Error('no server');
    return parts.server;
  };
  beforeAll(async () => {
    parts.local = await openModel(checkpointChoice('start', join(sample.folder, 'models')), options);
    parts.server = await startLocalServer({ name: 'toy', ...parts.local });
  });
  beforeEach(() => {
    Object.assign(server().behaviour, willing());
  });
  afterAll(async () => {
    await parts.server?.close();
    await parts.local?.backend.dispose();
  });
  return { sample, localSession: () => createReplaySession({ ...local(), tell }), server };
}
