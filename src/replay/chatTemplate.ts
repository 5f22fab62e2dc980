/**
 * A model's chat template: messages to text, what stands between two of them, and how a call opens in it. Templates are
 * not to be trusted with prefixes (Qwen3's adds an empty `<think>` to the last assistant turn alone), so the text between
 * turns is found behind a sentinel in a rendering, never by cutting one rendering off another.
 * Leaves out tokens (align.ts).
 */
import { Template } from '@huggingface/jinja';
import type { Json } from '../base/json.ts';
import { longestCommonPrefix } from './commonPrefix.ts';

/** A message as templates take it. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly {
    readonly type: 'function';
    readonly function: { readonly name: string; readonly arguments: Json };
  }[];
}

/** What is rendered besides messages. */
export interface RenderOptions {
  readonly tools: readonly Json[] | null;
  /** Whether an assistant turn is opened at the end. */
  readonly open: 'assistant' | 'nothing';
}

/** A compiled template. */
export interface ChatTemplate {
  render(messages: readonly ChatMessage[], options: RenderOptions): string;
}

/** Compiles a template; throws where it is no Jinja. `special` are bos_token and its like. */
export function openChatTemplate(source: string, special: Readonly<Record<string, string>>): ChatTemplate {
  const template = new Template(source);
  return {
    render: (messages, { tools, open }) =>
      template.render({
        messages,
        ...(tools === null ? {} : { tools }),
        add_generation_prompt: open === 'assistant',
        bos_token: '',
        eos_token: '',
        ...special,
      }),
  };
}

/** ChatML, for models without a template. */
export const plainTemplate: ChatTemplate = {
  render: (messages, { open }) =>
    `${messages.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`).join('')}${
      open === 'assistant' ? '<|im_start|>assistant\n' : ''
    }`,
};

/** Letters of a private-use area: no template changes them, no log writes them. */
const sentinel = '\u{E000}rollout\u{E001}';

/** Text that follows the assistant message behind `before`, when `after` comes next; null where it cannot be told. */
export function textBehind(
  template: ChatTemplate,
  { before, after, ...options }: RenderOptions & { before: readonly ChatMessage[]; after: readonly ChatMessage[] },
): string | null {
  const rendered = template.render([...before, { role: 'assistant', content: sentinel }, ...after], options);
  const at = rendered.lastIndexOf(sentinel);
  return at === -1 ? null : rendered.slice(at + sentinel.length);
}

/** What the assistant wrote, as the template puts it: calls and reasoning included, what ends the turn left out. */
export function textOfMessage(
  template: ChatTemplate,
  { before, message, tools }: { before: readonly ChatMessage[]; message: ChatMessage; tools: readonly Json[] | null },
): string {
  const opened = template.render(before, { tools, open: 'assistant' });
  const whole = template.render([...before, message], { tools, open: 'nothing' });
  const written = whole.slice(longestCommonPrefix(opened, whole));
  const end = textBehind(template, { before, after: [], tools, open: 'nothing' });
  return end !== null && end !== '' && written.endsWith(end) ? written.slice(0, -end.length) : written;
}

const toolOfNobody = 'zqx';

/** How a call opens, by what a rendering with a call has that one without has not; null where calls are not rendered. */
export function callOpenerOf(template: ChatTemplate): string | null {
  const before: readonly ChatMessage[] = [{ role: 'user', content: 'a' }];
  const call = { type: 'function' as const, function: { name: toolOfNobody, arguments: {} } };
  const calling: ChatMessage = { role: 'assistant', content: '', tool_calls: [call] };
  try {
    const plain = template.render([...before, { role: 'assistant', content: '' }], { tools: null, open: 'nothing' });
    const whole = template.render([...before, calling], { tools: null, open: 'nothing' });
    const written = whole.slice(longestCommonPrefix(plain, whole));
    const named = written.indexOf(toolOfNobody);
    // Renderings share the first "<" of what differs: the opener begins where its tag does.
    const from = named === -1 ? 0 : whole.length - written.length;
    const tag = named === -1 ? null : openingTag(whole.slice(tagStart(whole, from), from + named));
    return tag === null || tag === '' ? null : tag;
  } catch {
    return null;
  }
}

function tagStart(text: string, from: number): number {
  const open = text.lastIndexOf('<', from);
  return open !== -1 && !/[>\s]/u.test(text.slice(open, from)) ? open : from;
}

/** The first tag of a text: `<tool_call>`, `[TOOL_CALLS]`, `<|python_tag|>`; else what stands before the JSON. */
function openingTag(text: string): string | null {
  const tags = [...text.matchAll(/<(?!\/)[^<>\n]{1,60}>|\[[A-Z_]{3,40}\]/gu)].map(([tag]) => tag);
  const calling = tags.find((tag) => /tool|call|function|python|action/iu.test(tag));
  return calling ?? tags[0] ?? /^\s*(?<lead>[^\s{]+)/u.exec(text)?.groups?.['lead'] ?? null;
}
