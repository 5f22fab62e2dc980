/**
 * What an observation says, without what its tool wraps around it and without what changes from call to call. The one
 * list of wrappers and volatile parts. Owned by the redundancy rules; leaves out pictures.
 */

/** A part of an observation that may differ between two equal answers. */
export interface VolatilePart {
  readonly name: string;
  readonly pattern: RegExp;
}

/** Timings, ids, dates and paths: removed before two observations are called equal (then only "likely"). */
export const volatileParts: readonly VolatilePart[] = [
  {
    name: 'date and time',
    pattern: /\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?/gu,
  },
  { name: 'time of day', pattern: /\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?\b/gu },
  { name: 'UUID', pattern: /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/giu },
  { name: 'address', pattern: /\b0x[0-9a-f]{6,}\b/giu },
  { name: 'hash', pattern: /\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{12,64}\b/giu },
  { name: 'duration', pattern: /\b\d+(?:\.\d+)?\s?(?:ns|µs|us|ms|s|sec|secs|seconds|minutes?)\b/giu },
  { name: 'process id', pattern: /\b(?:pid|process)[ =:]+\d+/giu },
  { name: 'temporary path', pattern: /(?:\/tmp|\/var\/folders|\/private\/tmp|[A-Z]:\\Temp)[^\s'"]*/gu },
  { name: 'request id', pattern: /\b(?:request|trace|session|call)[_-]?id["']?\s*[:=]\s*["']?[\w-]+/giu },
];

/** Lines that tools put around what they say (Metis, verl-tool, tau-bench, shells); the query of a search is one of them. */
const wrappers: readonly RegExp[] = [
  /^Code execution result:\s*$/gmu,
  /^(?:stdout|stderr|Images|Output|Result|Observation):\s*$/gmu,
  /^```[a-z]*\s*$/gmu,
  /^<\/?(?:tool_response|output|result|information|returncode|observation)>\s*$/gmu,
  /^A Google (?:image )?search for .* found \d+ results:\s*$/gmu,
  /^## Web Results\s*$/gmu,
];

const truncation =
  /\.\.\.\(truncated\)|\(truncated\)\.\.\.|\[truncated\]|<response clipped>|output truncated|lines? omitted|chars? omitted|elided/iu;

/** The observation without wrappers; white space at line ends and between lines folded. */
export function bareObservation(text: string): string {
  let bare = text;
  for (const wrapper of wrappers) bare = bare.replaceAll(wrapper, '');
  return bare
    .replaceAll(/[ \t\r]+$/gmu, '')
    .replaceAll(/\n{2,}/gu, '\n')
    .trim();
}

/** The observation with every volatile part replaced by its name. */
export function steadyObservation(text: string): string {
  let steady = bareObservation(text);
  for (const { name, pattern } of volatileParts) steady = steady.replaceAll(pattern, `‹${name}›`);
  return steady;
}

/** True where the harness cut or left out a part: then two equal texts prove nothing about the rest. */
export function isTruncated(text: string): boolean {
  return truncation.test(text);
}

const unspecific = new Set(
  'ok true false none null nan yes no done success successful error failed result results output the a an is are was of to in and or on at for with it this that'.split(
    ' ',
  ),
);

/** Distinct words and numbers that are about something: without articles, OK, True, None and the like. */
export function specificTokens(text: string): ReadonlySet<string> {
  const tokens = new Set<string>();
  for (const [token] of text.toLowerCase().matchAll(/[\p{L}\p{N}][\p{L}\p{N}_.-]*/gu)) {
    const word = token.replaceAll(/[._-]+$/gu, '');
    if (!unspecific.has(word)) tokens.add(word);
  }
  return tokens;
}

const lasting =
  /SyntaxError|IndentationError|TabError|(?:invalid|malformed|unparsable|missing|unexpected|unknown|unrecognized) (?:json|argument|parameter|keyword|tool|function|action|option|command|field|syntax)|missing \d+ required|required (?:argument|parameter|field)|unexpected keyword argument|No valid tool|no such tool|tool .{0,60}(?:not found|does not exist)|not valid JSON|JSON\s?DecodeError|ValidationError|do(?:es)? not add up|cannot be used (?:to|for)\b/iu;
const passing =
  /timed? ?out|time-?out|connection (?:error|refused|reset|aborted)|ConnectionError|network|temporar|try again|rate.?limit|too many requests|\b429\b|\b50[0-9]\b|service unavailable|overloaded|kernel (?:died|restart|was restarted)|restarted/iu;

/** True for a failure that the same call would meet again: syntax, arguments, a tool that is not there. */
export function isLastingFailure(text: string): boolean {
  return lasting.test(text) && !passing.test(text);
}

/** True for a failure that may be gone at the next try: timeouts, connections, 429, 5xx, a restarted kernel. */
export function isPassingFailure(text: string): boolean {
  return passing.test(text);
}
