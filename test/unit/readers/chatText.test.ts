// Splitting decoded chats: with special tokens, with bare role words, with neither; and hostile text in linear time.
import { describe, expect, it } from 'vitest';
import { type ChatTurn, splitOutput, splitPrompt } from '../../../src/readers/chatText.ts';
import { cutAtImages } from '../../../src/readers/imagePads.ts';
import { growthOfTime, linearLimit } from './linearTime.ts';

type Turns = readonly (readonly [role: string, text: string])[];
const plain = (turns: readonly ChatTurn[]): Turns => turns.map(({ role, text }) => [role, text]);

describe('splitPrompt', () => {
  const cases: readonly (readonly [name: string, text: string, template: string, turns: Turns, prefill?: string])[] = [
    [
      'ChatML',
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n',
      'chatml',
      [
        ['system', 'Be brief.'],
        ['user', 'Why?'],
      ],
    ],
    [
      'ChatML that begins the reasoning',
      '<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n<think>\n',
      'chatml',
      [['user', 'Why?']],
      '<think>',
    ],
    [
      'ChatML with an example answer',
      '<|im_start|>user\nA?<|im_end|>\n<|im_start|>assistant\nB.<|im_end|>\n<|im_start|>user\nC?<|im_end|>\n<|im_start|>assistant\n',
      'chatml',
      [
        ['user', 'A?'],
        ['assistant', 'B.'],
        ['user', 'C?'],
      ],
    ],
    [
      'a quoted mark',
      '<|im_start|>user\nWhat does <|im_start|> mean?<|im_end|>\n',
      'chatml',
      [['user', 'What does <|im_start|> mean?']],
    ],
    ['an end mark in the middle', '<|im_start|>user\nA<|im_end|>B<|im_end|>\n', 'chatml', [['user', 'A<|im_end|>B']]],
    [
      'Llama 3',
      '<|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nQ<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
      'llama3',
      [
        ['system', 'S'],
        ['user', 'Q'],
      ],
    ],
    [
      'bare',
      'system\nYou are …\n\n# Tools\n</tools>\nuser\nHow many …?\nassistant\n',
      'bare',
      [
        ['system', 'You are …\n\n# Tools\n</tools>'],
        ['user', 'How many …?'],
      ],
    ],
    [
      'bare with "user" alone on a line of the question',
      'user\nWho is\nuser\nand who is\nassistant\nhere?\nassistant\n',
      'bare',
      [['user', 'Who is\nuser\nand who is\nassistant\nhere?']],
    ],
    [
      'bare with an example answer',
      'user\nA?\nassistant\nB.\nuser\nC?\nassistant\n',
      'bare',
      [
        ['user', 'A?'],
        ['assistant', 'B.'],
        ['user', 'C?'],
      ],
    ],
    ['bare that begins the reasoning', 'user\nA?\nassistant\n<think>\n', 'bare', [['user', 'A?']], '<think>'],
    ['bare and empty', 'user\n\nassistant\n', 'bare', [['user', '']]],
    [
      'bare Llama 3',
      'system\n\nBe brief.user\n\nThe user\n\nis who?assistant\n\n',
      'bare-llama3',
      [
        ['system', 'Be brief.'],
        ['user', 'The user\n\nis who?'],
      ],
    ],
    ['no template', 'Complete: the', 'none', [['prompt', 'Complete: the']]],
    ['nothing', '', 'none', []],
  ];
  for (const [name, text, template, turns, prefill = ''] of cases) {
    it(name, () => {
      const prompt = splitPrompt(text);
      expect({ ...prompt, turns: plain(prompt.turns) }).toEqual({ template, turns, prefill });
    });
  }
});

describe('splitOutput', () => {
  const call = '<tool_call>\n{"name": "calc", "arguments": {}}\n</tool_call>';
  const cases: readonly (readonly [
    name: string,
    text: string,
    template: 'chatml' | 'bare' | 'bare-llama3' | 'none',
    turns: Turns,
  ])[] = [
    [
      'Metis',
      `${call}<|im_end|>\n<|im_start|>user\nOBS<|im_end|>\n<|im_start|>assistant\nDone.<|im_end|>`,
      'chatml',
      [
        ['assistant', call],
        ['user', 'OBS'],
        ['assistant', 'Done.'],
      ],
    ],
    [
      'an empty observation',
      `${call}<|im_end|>\n<|im_start|>user\n<|im_end|>\n<|im_start|>assistant\nDone.<|im_end|><|endoftext|>`,
      'chatml',
      [
        ['assistant', call],
        ['user', ''],
        ['assistant', 'Done.'],
      ],
    ],
    [
      'a role word without content is no turn',
      `${call}<|im_end|>\n<|im_start|>user\nOBS<|im_end|>\n<|im_start|>assistant\n`,
      'chatml',
      [
        ['assistant', call],
        ['user', 'OBS'],
      ],
    ],
    ['marked output behind a bare prompt', 'Done.<|im_end|>', 'bare', [['assistant', 'Done.']]],
    ['nothing', '', 'chatml', [['assistant', '']]],
    ['nothing without marks', '', 'bare', [['assistant', '']]],
    [
      'bare',
      `<think>\n…\n</think>\n\n${call}\nuser\n<tool_response>\n4\n</tool_response>\nassistant\nThe answer is \\boxed{4}.`,
      'bare',
      [
        ['assistant', `<think>\n…\n</think>\n\n${call}`],
        ['user', '<tool_response>\n4\n</tool_response>'],
        ['assistant', 'The answer is \\boxed{4}.'],
      ],
    ],
    [
      'role words inside an observation and inside an answer',
      `${call}\nuser\n<tool_response>\nname\nuser\nroot\nassistant\nx\n</tool_response>\nassistant\nThe\nuser\nis root.`,
      'bare',
      [
        ['assistant', call],
        ['user', '<tool_response>\nname\nuser\nroot\nassistant\nx\n</tool_response>'],
        ['assistant', 'The\nuser\nis root.'],
      ],
    ],
    [
      '"user" alone on a line before a call',
      `The\nuser\nsays\n${call}\ntool\n4\nassistant\nFour.`,
      'bare',
      [
        ['assistant', `The\nuser\nsays\n${call}`],
        ['tool', '4'],
        ['assistant', 'Four.'],
      ],
    ],
    ['"user" alone on a line, no call at all', 'The\nuser\nis root.', 'bare', [['assistant', 'The\nuser\nis root.']]],
    [
      'a simulated user',
      'Which one?\nuser\nThe red one.\nassistant\nFine.',
      'bare',
      [
        ['assistant', 'Which one?'],
        ['user', 'The red one.'],
        ['assistant', 'Fine.'],
      ],
    ],
    [
      'an observation that lost its end',
      `${call}\nuser\n<tool_response>\n4...(truncated)\nassistant\nFour.`,
      'bare',
      [
        ['assistant', call],
        ['user', '<tool_response>\n4...(truncated)'],
        ['assistant', 'Four.'],
      ],
    ],
    [
      'two tool turns',
      `${call}\n${call}\ntool\n<tool_response>1</tool_response>\ntool\n<tool_response>2</tool_response>\nassistant\n3`,
      'bare',
      [
        ['assistant', `${call}\n${call}`],
        ['tool', '<tool_response>1</tool_response>'],
        ['tool', '<tool_response>2</tool_response>'],
        ['assistant', '3'],
      ],
    ],
    [
      'an empty bare observation',
      `${call}\nuser\n\nassistant\nOk.`,
      'bare',
      [
        ['assistant', call],
        ['user', ''],
        ['assistant', 'Ok.'],
      ],
    ],
    [
      'bare Llama 3',
      '{"name": "clock", "parameters": {}}ipython\n\nTuesdayassistant\n\nIt is Tuesday.',
      'bare-llama3',
      [
        ['assistant', '{"name": "clock", "parameters": {}}'],
        ['ipython', 'Tuesday'],
        ['assistant', 'It is Tuesday.'],
      ],
    ],
  ];
  it.each(cases)('%s', (_, text, template, turns) => {
    expect(plain(splitOutput(text, template))).toEqual(turns);
  });
});

describe('cutAtImages', () => {
  const cut = (text: string): (string | number)[] => {
    const pieces: (string | number)[] = [];
    cutAtImages(text, { text: (piece) => pieces.push(piece), image: (pads) => pieces.push(pads) });
    return pieces;
  };
  const pads = (count: number): string => `<|vision_start|>${'<|image_pad|>'.repeat(count)}<|vision_end|>`;
  const cases: readonly (readonly [name: string, text: string, pieces: readonly (string | number)[]])[] = [
    ['no pads', 'abc', ['abc']],
    ['nothing', '', []],
    ['one run between texts', `a${pads(3)}b`, ['a', 3, 'b']],
    ['two runs', `${pads(1)}${pads(700)}`, [1, 700]],
    ['pads without their wrapper', 'a<|image_pad|><|image_pad|>b', ['a', 2, 'b']],
    ['text inside the wrapper', '<|vision_start|>x<|image_pad|><|vision_end|>', ['<|vision_start|>x', 1]],
    ['a wrapper without pads', '<|vision_start|><|vision_end|>', ['<|vision_start|><|vision_end|>']],
    ['a character hidden in a run', `${pads(300)}!<|image_pad|>`, [300, '!', 1]],
  ];
  it.each(cases)('%s', (_, text, pieces) => expect(cut(text)).toEqual(pieces));

  it('counts the pads of a run of 13 MB', () => {
    expect(cut(pads(1_000_000))).toEqual([1_000_000]);
  });
});

describe('linear time', () => {
  const hostile: readonly (readonly [name: string, piece: string])[] = [
    ['start marks', '<|im_start|>'],
    ['turns', '<|im_start|>user\n'],
    ['end marks', '<|im_end|> \n'],
    ['bare role lines', '\nuser\n'],
    ['bare role lines of all kinds', '\nuser\nx\nassistant\ny\ntool\n<tool_response>'],
    ['responses that do not end', '\nuser\n<tool_response>'],
    ['blanks', '   \n'],
    ['headers', '<|start_header_id|>'],
    ['glued roles', 'x.user\n\nassistant\n\n'],
  ];
  it.each(hostile)('%s', (_, piece) => {
    const growth = growthOfTime((size) => {
      const text = piece.repeat(size);
      splitPrompt(`system\n${text}`);
      splitPrompt(`system\n\n${text}assistant\n\n`);
      for (const template of ['chatml', 'bare', 'bare-llama3', 'none'] as const) splitOutput(text, template);
    }, 2_000);
    expect(growth).toBeLessThan(linearLimit);
  });
});
