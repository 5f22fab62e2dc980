/**
 * Rollouts and explanations for the transcript's tests, made with the builder as readers make them.
 * Leaves out files and formats: those are the readers' tests.
 */
import {
  buildCall,
  buildImage,
  buildRollout,
  buildTurn,
  callPart,
  imagePart,
  textPart,
} from '../../../src/model/builder.ts';
import type { Rollout, TurnPart } from '../../../src/model/rollout.ts';
import type { Explanation, GroupMember, RolloutRef, RolloutRow } from '../../../src/protocol/engine.ts';
import type { FlagReport, ShownFlag } from '../../../src/protocol/flags.ts';
import type { TranscriptContext } from '../../../src/transcript/renderTranscript.ts';

export const ref: RolloutRef = { run: 'run-1', file: '17.jsonl', row: 4 };

/** The rollout of ui.md's wireframe: one call, the same call again, the answer. */
export function sampleRollout(): Rollout {
  const reasoning: TurnPart = { kind: 'reasoning', text: 'I will compute it.' };
  return buildRollout({
    place: { row: 4, line: 4, bytes: { first: 100, count: 900 } },
    producer: 'Metis / verl-tool',
    group: { key: 'g', source: 'inferred' },
    step: 17,
    groundTruth: '336',
    answer: '336',
    reward: { total: 1, answer: 1, format: 1, correct: true, correctSource: 'decoded from score' },
    images: [buildImage({ origin: 'prompt', state: 'inline', mime: 'image/png', base64: 'iVBORw0KGgo=', pads: 1024 })],
    turns: [
      buildTurn({ role: 'system', parts: [textPart('You may call python …')], prompt: true }),
      buildTurn({ role: 'user', parts: [imagePart(0), textPart('48 × 7 = ?')], prompt: true }),
      buildTurn({ role: 'policy', parts: [reasoning, callPart(0)], tokens: 31 }),
      buildTurn({ role: 'tool', loggedRole: 'user', parts: [textPart('336\n')], observes: [0] }),
      buildTurn({ role: 'policy', parts: [callPart(1)], tokens: 29 }),
      buildTurn({ role: 'tool', loggedRole: 'user', parts: [textPart('336\nno more')], observes: [1] }),
      buildTurn({ role: 'policy', parts: [{ kind: 'answer', text: '336' }] }),
    ],
    calls: [
      buildCall({
        turn: 2,
        tool: 'python',
        raw: '{"name":"python"}',
        arguments: { code: 'x = 48\nprint(x * 7)' },
        outcome: 'ok',
        observation: '336\n',
        latencyMs: 612,
        facts: [{ name: 'code_lines', value: 2 }],
      }),
      buildCall({
        turn: 4,
        tool: 'search',
        raw: '',
        arguments: { query: '48 times 7' },
        outcome: 'failed',
        failure: 'no such tool',
        latencyMs: 600,
      }),
    ],
    stopReason: 'finished',
    extras: [{ name: 'verl_tool_metrics', value: { num_turns: 3 } }],
  });
}

/** One row of a list, right with two calls unless changed. */
export function row(change: Partial<RolloutRow> = {}): RolloutRow {
  return {
    ref,
    step: 17,
    group: 'g',
    member: 5,
    groupSize: 16,
    id: null,
    line: 4,
    question: '48 × 7 = ?',
    reward: 1,
    correct: true,
    calls: 2,
    redundantCalls: 0,
    wastedMs: null,
    accReward: 1,
    toolReward: 1 / 3,
    accAdvantage: 0.857,
    toolAdvantage: -0.7,
    loggedAdvantage: null,
    qualifies: true,
    stopReason: null,
    ...change,
  };
}

/** Members 1 to `count`, the first `right` of them right, with one call each. */
export function members(count: number, right: number): readonly GroupMember[] {
  return Array.from({ length: count }, (_, index) => ({
    ref: { ...ref, row: index },
    member: index + 1,
    correct: index < right,
    calls: 1,
    accReward: index < right ? 1 : 0,
    toolReward: index < right ? 0.5 : 0,
    qualifies: index < right,
  }));
}

/** An explanation of `row()`, changed where a test needs it. */
export function explanation(change: Partial<Explanation> = {}): Explanation {
  return {
    row: row(),
    answerReward: 1,
    formatReward: 1,
    correctSource: 'decoded from score',
    accMean: 0.6125,
    accStd: 0.4515,
    toolMean: 0.51,
    toolStd: 0.26,
    qualifying: 9,
    accEqual: false,
    toolEqual: false,
    masked: false,
    members: members(16, 9),
    ...change,
  };
}

const noFlags: FlagReport = { flags: [], counterfactual: null, crops: [] };

/** Call 2 of `sampleRollout()` flagged as a repetition of call 1, changed where a test needs it. */
export function repeatFlag(change: Partial<ShownFlag> = {}): ShownFlag {
  return {
    id: '0123456789abcdef0123456789abcdef',
    call: 1,
    count: 1,
    rule: 'repeat',
    confidence: 'certain',
    sentence: 'repeats call 1: same code, same result',
    evidence: [],
    refersTo: 0,
    refersToTurn: null,
    witnesses: [],
    boxes: [],
    latencyMs: 600,
    characters: 12,
    verdict: null,
    ...change,
  };
}

/** What the engine says of `sampleRollout()`: call 2 repeats call 1. */
export function repeatReport(change: Partial<FlagReport> = {}): FlagReport {
  return {
    flags: [repeatFlag()],
    crops: [],
    counterfactual: {
      without: [1],
      count: 1,
      calls: [2, 1],
      toolReward: [1 / 3, 0.5],
      toolAdvantage: [-0.7, 0.05],
      groupCleaned: { toolAdvantage: 0, equalCalls: true },
      latencyMs: 600,
      characters: 12,
    },
    ...change,
  };
}

/** What the engine gives with the rollout. */
export function context(change: Partial<TranscriptContext> = {}): TranscriptContext {
  return { ref, runName: 'hdpo', file: '/logs/hdpo/17.jsonl', explanation: explanation(), flags: noFlags, ...change };
}

/** Lines as VS Code splits a document. */
export function editorLines(text: string): readonly string[] {
  return text.split(/\r\n|\r|\n/);
}
