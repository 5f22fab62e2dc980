/**
 * The bytes that a token stands for, from its name in the vocabulary: byte-level alphabets (GPT-2, Llama 3, Qwen),
 * SentencePiece with byte fallback, added tokens as they are. And bytes back to text, a token at a time: a character that
 * several tokens share belongs to the one that completes it. Leaves out cutting text into tokens (policyTokens.ts).
 */

/** How names of tokens are written in a vocabulary. */
export type Alphabet = 'byte-level' | 'sentencepiece' | 'plain';

/** GPT-2's alphabet: a printable character for each of 256 bytes. */
const byteOfCharacter: ReadonlyMap<string, number> = (() => {
  const map = new Map<string, number>();
  let next = 256;
  for (let byte = 0; byte < 256; byte += 1) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    map.set(String.fromCodePoint(printable ? byte : next), byte);
    if (!printable) next += 1;
  }
  return map;
})();

const encoder = new TextEncoder();

/** Bytes of a token of the vocabulary proper. */
export function bytesOfToken(name: string, alphabet: Alphabet): Uint8Array {
  switch (alphabet) {
    case 'byte-level': {
      const bytes: number[] = [];
      for (const character of name) {
        const byte = byteOfCharacter.get(character);
        if (byte === undefined) return encoder.encode(name);
        bytes.push(byte);
      }
      return Uint8Array.from(bytes);
    }
    case 'sentencepiece': {
      const single = /^<0x(?<hex>[0-9A-F]{2})>$/u.exec(name)?.groups?.['hex'];
      return single === undefined
        ? encoder.encode(name.replaceAll('▁', ' '))
        : Uint8Array.of(Number.parseInt(single, 16));
    }
    case 'plain':
      return encoder.encode(name);
  }
}

/** Decodes a sequence of byte strings, each to the text that it completes. */
export interface TextJoiner {
  add(bytes: Uint8Array): string;
  /** What is left of a character that never ended. */
  end(): string;
}

/** A joiner at the beginning of a text. */
export function createTextJoiner(): TextJoiner {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return {
    add: (bytes) => decoder.decode(bytes, { stream: true }),
    end: () => decoder.decode(),
  };
}

/** The text of each token of a sequence. */
export function textsOfTokens(ids: readonly number[], bytesOf: (id: number) => Uint8Array): readonly string[] {
  const joiner = createTextJoiner();
  const texts = ids.map((id) => joiner.add(bytesOf(id)));
  const rest = joiner.end();
  if (rest !== '' && texts.length > 0) texts[texts.length - 1] += rest;
  return texts;
}

/** All bytes of a sequence. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
