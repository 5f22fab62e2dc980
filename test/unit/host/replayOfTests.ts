/** Shapes of a replay that tests of host and page share. */
import type { AlignedEpisode, BackendFacts, ModelChoice, ReplayEpisode } from '../../../src/protocol/replay.ts';

/** Facts of a model by its name. */
export function factsOfTests(name: string, provider = 'cpu'): BackendFacts {
  return {
    name,
    kind: 'local',
    precision: 'f32',
    provider,
    attempts: [],
    vocabularySize: 8,
    contextLength: 64,
    selfTest: null,
    slowPath: null,
    warnings: [],
    provenance: [],
    provenanceId: `p:${name}`,
  };
}

/** Two tokens, the second one written by the policy. */
export function alignedOfTests(): AlignedEpisode {
  return {
    count: 2,
    ids: Int32Array.of(1, 2),
    turn: Int32Array.of(0, 1),
    scored: Uint8Array.of(0, 1),
    texts: ['a', 'b'],
    logged: null,
    source: 'exact text',
    misaligned: 0,
    left: 0,
    opener: null,
    notes: [],
  };
}

/** A model in a folder. */
export function localChoice(
  folder: string,
  change: Partial<Extract<ModelChoice, { kind: 'local' }>> = {},
): ModelChoice {
  return {
    kind: 'local',
    folder,
    variant: null,
    provider: null,
    chunk: null,
    memoryBudget: null,
    cudaFolder: null,
    storage: '',
    ...change,
  };
}

/** An episode of a question, a call and an answer. */
export function episodeOfTests(title: string): ReplayEpisode {
  const turn = (index: number, role: 'user' | 'policy' | 'tool', text: string) => ({
    turn: index,
    role,
    loggedRole: role,
    prompt: index === 0,
    text,
    exact: true,
    content: '',
    reasoning: '',
    ids: null,
    logprobs: null,
    calls: index === 1 ? [0] : [],
    observes: index === 2 ? [0] : [],
    images: [],
    latencyMs: null,
  });
  return {
    ref: { run: 'run', file: '1.jsonl', row: 0 },
    title,
    step: 1,
    turns: [
      turn(0, 'user', '48 × 7 = ?'),
      turn(1, 'policy', 'I compute it: print(48 * 7)'),
      turn(2, 'tool', '336'),
      turn(3, 'policy', 'It is 336.'),
    ],
    calls: [{ call: 0, turn: 1, tool: 'python', arguments: null, latencyMs: 600, redundant: ['repeat'] }],
    exactText: null,
    tools: '',
    answer: '336',
    groundTruth: '336',
    correct: true,
    temperature: 1,
    topP: 1,
    siblings: { count: 16, calledFirst: 12 },
    recorded: [],
    notes: [],
  };
}
