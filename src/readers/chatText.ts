/**
 * Splits the decoded text of a chat into its turns: with special tokens (ChatML, Llama 3) by their marks, without them
 * by the bare role words that remain (formats.md 1.3 and 2.2), which is a guess wherever content holds such a line.
 * Owned by the verl readers. Linear in the text. Leaves out what is inside a turn (toolCalls.ts).
 */

/** One turn of chat text. */
export interface ChatTurn {
  /** The role word as logged; `prompt` for a prompt that names no role. */
  readonly role: string;
  /** What stands between the marks of the turn, as logged. */
  readonly text: string;
}

/** How turns are marked: by special tokens, by bare role words on a line, by Llama's glued role words, or not at all. */
export type ChatTemplate = 'chatml' | 'llama3' | 'bare' | 'bare-llama3' | 'none';

/** A prompt in turns. */
export interface ChatPrompt {
  readonly template: ChatTemplate;
  /** Without the empty assistant turn that ends a prompt. */
  readonly turns: readonly ChatTurn[];
  /** What the template put at the beginning of the assistant turn that follows (`<think>`), '' for nothing. */
  readonly prefill: string;
}

/** Special tokens around a turn. */
interface Marks {
  readonly template: ChatTemplate;
  readonly start: string;
  readonly headerEnd: string;
  readonly ends: readonly string[];
}

const chatml: Marks = {
  template: 'chatml',
  start: '<|im_start|>',
  headerEnd: '\n',
  ends: ['<|im_end|>', '<|endoftext|>'],
};
const llama3: Marks = {
  template: 'llama3',
  start: '<|start_header_id|>',
  headerEnd: '<|end_header_id|>',
  ends: ['<|eot_id|>', '<|eom_id|>', '<|end_of_text|>'],
};
const roleLengthLimit = 32;

/** Splits a prompt (`input`) into turns; text that no template marks is one turn with the role `prompt`. */
export function splitPrompt(text: string): ChatPrompt {
  for (const marks of [chatml, llama3]) {
    if (text.includes(marks.start)) return withoutOpening(marks.template, splitMarked(text, marks, null));
  }
  const template = bareTemplateOf(text);
  if (template !== 'none') return withoutOpening(template, splitBarePrompt(text, template));
  return { template, turns: text === '' ? [] : [{ role: 'prompt', text }], prefill: '' };
}

/** Splits what follows a prompt (`output`): it begins inside the assistant turn that the prompt opened. */
export function splitOutput(text: string, template: ChatTemplate): readonly ChatTurn[] {
  const known = [chatml, llama3].find((marks) => marks.template === template);
  if (known !== undefined) return splitMarked(text, known, 'assistant');
  for (const marks of [chatml, llama3]) {
    const marked = text.includes(marks.start) || marks.ends.some((end) => text.endsWith(end));
    if (marked) return splitMarked(text, marks, 'assistant');
  }
  return template === 'bare-llama3'
    ? splitBareOutput(text, bareLlama3Candidates(text))
    : splitBareOutput(text, bareCandidates(text));
}

/** True for the role word of a turn that the model under training writes. */
export function isPolicyRole(role: string): boolean {
  return role === 'assistant' || role === 'model' || role === 'gpt';
}

/** True for the role words templates give to what a tool returned. */
export function isToolRole(role: string): boolean {
  return (
    role === 'tool' || role === 'ipython' || role === 'observation' || role === 'function' || role === 'environment'
  );
}

function splitMarked(text: string, marks: Marks, opening: string | null): ChatTurn[] {
  const turns: ChatTurn[] = [];
  let role = opening;
  let first = 0;
  let header = nextHeader(text, 0, marks);
  for (;;) {
    const limit = header === null ? text.length : header.start;
    const content = text.slice(first, endOfContent(text, first, limit, marks));
    if (role !== null) turns.push({ role, text: content });
    else if (content.trim() !== '') turns.push({ role: 'prompt', text: content });
    if (header === null) break;
    role = header.role;
    first = header.content;
    header = nextHeader(text, first, marks);
  }
  const last = turns.at(-1);
  if (
    last !== undefined &&
    turns.length > 1 &&
    isPolicyRole(last.role) &&
    last.text.trim() === '' &&
    opening !== null
  ) {
    turns.pop();
  }
  return turns;
}

/** The next start mark that a role word follows; content that merely quotes the mark is passed over. */
function nextHeader(text: string, from: number, marks: Marks): { start: number; role: string; content: number } | null {
  for (let start = text.indexOf(marks.start, from); start !== -1;) {
    const word = start + marks.start.length;
    const window = text.slice(word, word + roleLengthLimit + marks.headerEnd.length);
    const found = window.indexOf(marks.headerEnd);
    const cut = found === -1 && word + window.length === text.length;
    const role = found === -1 ? window : window.slice(0, found);
    if ((found !== -1 || cut) && /^[A-Za-z_][\w-]*$/.test(role)) {
      let content = cut ? text.length : word + found + marks.headerEnd.length;
      if (marks.template === 'llama3' && text.startsWith('\n\n', content)) content += 2;
      return { start, role, content };
    }
    start = text.indexOf(marks.start, word);
  }
  return null;
}

/** Where content ends before `limit`: in front of its end marks where nothing but blanks follows them. */
function endOfContent(text: string, first: number, limit: number, marks: Marks): number {
  let end = limit;
  for (;;) {
    let last = end;
    while (last > first && isBlank(text.charCodeAt(last - 1))) last--;
    const mark = marks.ends.find(
      (candidate) => last - candidate.length >= first && text.startsWith(candidate, last - candidate.length),
    );
    if (mark === undefined) return end;
    end = last - mark.length;
  }
}

/** Takes the assistant turn off the end of a prompt where it is only opened: empty, or a lone reasoning tag. */
function withoutOpening(template: ChatTemplate, turns: ChatTurn[]): ChatPrompt {
  const last = turns.at(-1);
  if (last === undefined || !isPolicyRole(last.role)) return { template, turns, prefill: '' };
  const prefill = last.text.length <= 64 ? last.text.trim() : ' ';
  if (prefill !== '' && !/^<[\w|]+>(\s*<\/[\w|]+>)?$/.test(prefill)) return { template, turns, prefill: '' };
  return { template, turns: turns.slice(0, -1), prefill };
}

/** A place where a bare role word may open a turn. */
interface Candidate {
  readonly role: string;
  /** Where the turn before would end. */
  readonly end: number;
  /** Where the content of the turn would begin. */
  readonly content: number;
  /** A tag next to it says that it is a boundary (formats.md 2.2). */
  readonly strong: boolean;
}

const bareRoles = ['system', 'user', 'assistant', 'tool'];
const bareLlama3Roles = ['system', 'user', 'assistant', 'ipython'];
const callEnds = ['</tool_call>', '</seed:tool_call>', '</minimax:tool_call>', '</function>'];

function bareTemplateOf(text: string): ChatTemplate {
  if (/^(system|user)\n\n/.test(text) && /assistant\n\n(<\w+>\s*)?$/.test(text.slice(-80))) return 'bare-llama3';
  return /^(system|user)\n/.test(text) ? 'bare' : 'none';
}

/** Role words alone on a line, in order. */
function bareCandidates(text: string): Candidate[] {
  const candidates: Candidate[] = [];
  for (const role of bareRoles) {
    const line = `\n${role}\n`;
    for (let at = text.indexOf(line); at !== -1; at = text.indexOf(line, at + line.length - 1)) {
      const content = at + line.length;
      candidates.push({ role, end: at, content, strong: isStrong(text, role, at, content) });
    }
  }
  return candidates.sort((left, right) => left.end - right.end);
}

/** Llama's end mark vanishes without a line end, so the role word is glued to what stands before it. */
function bareLlama3Candidates(text: string): Candidate[] {
  const candidates: Candidate[] = [];
  for (const role of bareLlama3Roles) {
    const word = `${role}\n\n`;
    for (let at = text.indexOf(word, 1); at !== -1; at = text.indexOf(word, at + word.length)) {
      if (text[at - 1] === ' ') continue;
      candidates.push({ role, end: at, content: at + word.length, strong: isStrong(text, role, at, at + word.length) });
    }
  }
  return candidates.sort((left, right) => left.end - right.end);
}

function isStrong(text: string, role: string, end: number, content: number): boolean {
  let last = end;
  while (last > 0 && end - last < 8 && isBlank(text.charCodeAt(last - 1))) last--;
  if (role === 'assistant') return text.endsWith('</tool_response>', last);
  return text.startsWith('<tool_response>', content) || callEnds.some((tag) => text.endsWith(tag, last));
}

function splitBarePrompt(text: string, template: ChatTemplate): ChatTurn[] {
  const gap = template === 'bare-llama3' ? 2 : 1;
  const candidates = template === 'bare-llama3' ? bareLlama3Candidates(text) : bareCandidates(text);
  let role = text.startsWith('system') ? 'system' : 'user';
  let first = role.length + gap;
  const turns: ChatTurn[] = [];
  const lastAsked = candidates.findLastIndex((candidate) => candidate.role === 'user' || isToolRole(candidate.role));
  for (const [index, candidate] of candidates.entries()) {
    if (candidate.end < first - 1) continue;
    const asks = candidate.role === 'user' || isToolRole(candidate.role);
    // A question may hold the line "assistant": only the one that ends the prompt, or one that is answered, counts.
    const answers = candidate.role === 'assistant' && (index < lastAsked || isOpening(text, candidate.content));
    if (isPolicyRole(role) || role === 'system' ? !asks : !answers) continue;
    turns.push({ role, text: text.slice(first, Math.max(first, candidate.end)) });
    role = candidate.role;
    first = candidate.content;
  }
  turns.push({ role, text: text.slice(first) });
  return turns;
}

/** True where nothing follows, or only what a template puts at the beginning of an answer. */
function isOpening(text: string, content: number): boolean {
  return text.length - content <= 64 && /^(\s*<[/\w|]+>)*\s*$/.test(text.slice(content));
}

function splitBareOutput(text: string, candidates: readonly Candidate[]): ChatTurn[] {
  const turns: ChatTurn[] = [];
  const next = nextStrong(candidates);
  let role = 'assistant';
  let first = 0;
  for (const [index, candidate] of candidates.entries()) {
    if (candidate.end < first - 1 || !opensTurn(text, { role, first, candidate, next, index })) continue;
    turns.push({ role, text: text.slice(first, Math.max(first, candidate.end)) });
    role = candidate.role;
    first = candidate.content;
  }
  const rest = text.slice(first);
  if (turns.length === 0 || !isPolicyRole(role) || rest.trim() !== '') turns.push({ role, text: rest });
  return turns;
}

interface Boundary {
  readonly role: string;
  readonly first: number;
  readonly candidate: Candidate;
  readonly next: NextCandidates;
  readonly index: number;
}

function opensTurn(text: string, { role, first, candidate, next, index }: Boundary): boolean {
  const askedAfter = next.strongAsked[index + 1] ?? Infinity;
  if (isPolicyRole(role)) {
    if (candidate.role !== 'user' && !isToolRole(candidate.role)) return false;
    // A weak one counts only if it explains an assistant line that would otherwise have nothing to answer.
    return candidate.strong || (next.assistant[index + 1] ?? Infinity) < askedAfter;
  }
  const tagged = text.startsWith('<tool_response>', first);
  if (candidate.role === 'assistant') {
    return candidate.strong || !tagged || (next.strongAssistant[index + 1] ?? Infinity) >= askedAfter;
  }
  return candidate.role !== 'system' && candidate.strong && text.startsWith('<tool_response>', candidate.content);
}

/** For each index the index of the next candidate of a kind, at or after it. */
interface NextCandidates {
  readonly assistant: readonly number[];
  readonly strongAssistant: readonly number[];
  readonly strongAsked: readonly number[];
}

function nextStrong(candidates: readonly Candidate[]): NextCandidates {
  const kind = (test: (candidate: Candidate) => boolean): number[] => {
    const found = new Array<number>(candidates.length).fill(Infinity);
    let nearest = Infinity;
    for (let index = candidates.length - 1; index >= 0; index--) {
      const candidate = candidates[index];
      if (candidate !== undefined && test(candidate)) nearest = index;
      found[index] = nearest;
    }
    return found;
  };
  return {
    assistant: kind((candidate) => candidate.role === 'assistant'),
    strongAssistant: kind((candidate) => candidate.role === 'assistant' && candidate.strong),
    strongAsked: kind((candidate) => candidate.role !== 'assistant' && candidate.role !== 'system' && candidate.strong),
  };
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
