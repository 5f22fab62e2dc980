/**
 * The trajectories of an rLLM episode as one conversation. Every step repeats the messages before it: the messages behind
 * the longest common beginning are what it adds. Steps without messages give their observation and the model's response.
 * Token ids, log-probs and advantages of a step belong to its last message of the policy. Owned by rllm.ts.
 */
import { asArray, asNumber, asString, isObject, type Json, type JsonObject } from '../base/json.ts';
import type { Call, LoggedImage, NamedValue, SubAgent, TokenValues, Turn, TurnPart } from '../model/rollout.ts';
import { turnsOfMessages, type MessageFacts } from './chatMessages.ts';
import { numbersOf, objectAt } from './episodeDraft.ts';
import { roleOf } from './messageParts.ts';

/** All trajectories of an episode, one after the other. */
export interface ReadTrajectories {
  readonly turns: readonly Turn[];
  readonly calls: readonly Call[];
  readonly images: readonly LoggedImage[];
  readonly answer: string | null;
  /** Tokens the policy wrote, null where no ids are logged. */
  readonly tokens: number | null;
  /** The mean over all steps (or their tokens) that log one. */
  readonly advantage: number | null;
  readonly facts: readonly NamedValue[];
}

/** Reads the trajectories; with more than one, each is a sub-agent by its name. */
export function readTrajectories(trajectories: readonly JsonObject[]): ReadTrajectories {
  const turns: Turn[] = [];
  const calls: Call[] = [];
  const images: LoggedImage[] = [];
  const facts: NamedValue[] = [];
  const advantages: number[] = [];
  let answer: string | null = null;
  let tokens: number | null = null;
  for (const trajectory of trajectories) {
    const name = asString(trajectory['name']) ?? 'agent';
    const agent = trajectories.length > 1 ? { name, depth: 1 } : null;
    const merged = mergeSteps(asArray(trajectory['steps']).filter(isObject), agent);
    const read = turnsOfMessages(merged.messages, {
      prompt: 'before-first-assistant',
      about: (index) => merged.about.get(index) ?? (agent === null ? null : { agent }),
    });
    appendTo({ turns, calls, images }, read, agent);
    facts.push(...read.facts);
    advantages.push(...merged.advantages);
    answer = read.answer ?? answer;
    if (merged.tokens !== null) tokens = (tokens ?? 0) + merged.tokens;
    const rewards = merged.rewards;
    if (rewards.some((reward) => reward !== 0) && rewards.length > 1) {
      facts.push({ name: agent === null ? 'step rewards' : `${name} step rewards`, value: rewards });
    }
  }
  const sum = advantages.reduce((total, value) => total + value, 0);
  const advantage = advantages.length === 0 ? null : sum / advantages.length;
  return { turns, calls, images, answer, tokens, advantage, facts };
}

interface Merged {
  readonly messages: readonly Json[];
  readonly about: ReadonlyMap<number, MessageFacts>;
  readonly advantages: readonly number[];
  readonly rewards: readonly number[];
  readonly tokens: number | null;
}

function mergeSteps(steps: readonly JsonObject[], agent: SubAgent | null): Merged {
  const messages: Json[] = [];
  const about = new Map<number, MessageFacts>();
  const advantages: number[] = [];
  const rewards: number[] = [];
  let tokens: number | null = null;
  /** The last step's messages as JSON: comparing texts is quicker than comparing trees. */
  let before: readonly string[] = [];
  for (const step of steps) {
    const said = messagesOf(step);
    const texts = said.map((message) => JSON.stringify(message));
    let common = 0;
    while (common < texts.length && texts[common] === before[common]) common++;
    // A step that repeats all of the one before and adds nothing was logged twice.
    for (const message of said.slice(common)) messages.push(message);
    before = texts;
    const reward = asNumber(step['reward']);
    if (reward !== null) rewards.push(reward);
    const values = tokenValuesOf(step);
    const advantage = advantageOf(step['advantage']);
    if (advantage !== null) advantages.push(advantage);
    const at = common === texts.length ? -1 : messages.findLastIndex(isPolicy);
    const count = values?.ids?.length ?? null;
    if (count !== null) tokens = (tokens ?? 0) + count;
    if (at >= 0) about.set(at, { agent, tokens: count, tokenValues: values, latencyMs: latencyOf(step) });
  }
  return { messages, about, advantages, rewards, tokens };
}

/** The conversation as of this step. */
function messagesOf(step: JsonObject): readonly Json[] {
  const logged = asArray(step['chat_completions']);
  if (logged.length > 0) return logged;
  const input = Array.isArray(step['input']) ? asArray(step['input']) : [];
  const observation = textOf(step['observation'] ?? (input.length > 0 ? null : (step['input'] ?? null)));
  const thought = asString(step['thought']) ?? '';
  const response = textOf(step['model_response'] ?? step['output'] ?? step['action'] ?? null);
  return [
    ...input,
    ...(observation === '' ? [] : [{ role: 'user', content: observation }]),
    ...(response === '' && thought === ''
      ? []
      : [{ role: 'assistant', content: response, reasoning_content: thought }]),
  ];
}

function textOf(value: Json): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isPolicy(message: Json): boolean {
  return isObject(message) && roleOf(asString(message['role']) ?? '') === 'policy';
}

function tokenValuesOf(step: JsonObject): TokenValues | null {
  const ids = filled(numbersOf(step['response_ids']));
  const logprobs = filled(numbersOf(step['logprobs']));
  const length = ids?.length ?? logprobs?.length ?? 0;
  if (length === 0) return null;
  const advantages = numbersOf(step['advantage']);
  const isPerToken = advantages !== null && advantages.length === length;
  const isConstant = isPerToken && advantages.every((value) => value === advantages[0]);
  return {
    ids,
    texts: null,
    logprobs: logprobs?.length === length ? logprobs : null,
    referenceLogprobs: null,
    others: isPerToken && !isConstant ? [{ name: 'advantages', values: advantages }] : [],
  };
}

/** An empty list is how a step without token logging is written. */
function filled(values: readonly number[] | null): readonly number[] | null {
  return values === null || values.length === 0 ? null : values;
}

/** A number, or the mean of one number a token. */
function advantageOf(value: Json | undefined): number | null {
  if (!Array.isArray(value)) return asNumber(value);
  const numbers = asArray(value).flatMap((item) => asNumber(item) ?? []);
  return numbers.length === 0 ? null : numbers.reduce((sum, item) => sum + item, 0) / numbers.length;
}

function latencyOf(step: JsonObject): number | null {
  const seconds = asNumber(objectAt(step, 'timing')['llm_time']) ?? asNumber(objectAt(step, 'timing')['duration']);
  return seconds === null || seconds < 0 ? null : seconds * 1000;
}

interface Target {
  readonly turns: Turn[];
  readonly calls: Call[];
  readonly images: LoggedImage[];
}

/** Puts one conversation behind others: every index in it moves. */
function appendTo(target: Target, read: Omit<ReadTrajectories, 'tokens' | 'advantage'>, agent: SubAgent | null): void {
  const { length: firstTurn } = target.turns;
  const { length: firstCall } = target.calls;
  const { length: firstImage } = target.images;
  for (const turn of read.turns) {
    const parts = turn.parts.map((part): TurnPart => {
      if (part.kind === 'call') return { kind: 'call', call: part.call + firstCall };
      return part.kind === 'image' ? { kind: 'image', image: part.image + firstImage } : part;
    });
    const observes = turn.observes.map((call) => call + firstCall);
    target.turns.push({ ...turn, parts, observes, agent });
  }
  for (const call of read.calls) {
    const images = call.images.map((image) => image + firstImage);
    target.calls.push({ ...call, turn: call.turn + firstTurn, images });
  }
  for (const image of read.images) target.images.push(image);
}
