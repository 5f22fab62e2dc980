/**
 * Where numbers of a replay come from: what the backend says of itself and the tokenizer with its chat template, hashed, so
 * that only numbers of one origin are compared or drawn as one. Leaves out what a backend is (backend.ts).
 */
import { createHash } from 'node:crypto';
import type { BackendFacts } from '../protocol/replay.ts';

/** The facts of a model with its tokenizer's and template's hash among its provenance. */
export function factsWithTokens(facts: BackendFacts, digest: string): BackendFacts {
  const provenance = [...facts.provenance, { name: 'tokenizer', value: digest }];
  const provenanceId = createHash('sha256').update(JSON.stringify(provenance)).digest('hex').slice(0, 16);
  return { ...facts, provenance, provenanceId };
}
