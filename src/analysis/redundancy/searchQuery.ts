/**
 * Search queries by meaning: equal after case, punctuation, articles and the order of unquoted terms, while what can
 * change the results (from/to/not/…, quotes, operators, numbers) keeps its place. Source: hdpo.md section 3, `near-repeat`.
 */
import { asArray, asString, isObject, type Json } from '../../base/json.ts';

const articles = new Set(['a', 'an', 'the']);
/** Words that bind the term after them: "from A to B" is not "from B to A". */
const binding = new Set(['from', 'to', 'before', 'after', 'not', 'without', 'since', 'until', 'than', 'or', 'and']);
const queryNames = ['query', 'queries', 'q', 'search_query', 'search_term', 'keywords', 'query_list'] as const;

/** The queries of a call and everything else it was given; null where it has no query. */
export interface Search {
  readonly queries: readonly string[];
  /** The other arguments (page, site, language), as JSON. */
  readonly rest: Json;
}

/** Takes the queries out of a call's arguments. */
export function searchOf(given: Json): Search | null {
  const text = asString(given);
  if (text !== null) return { queries: [text], rest: null };
  if (!isObject(given)) return null;
  const name = queryNames.find((candidate) => given[candidate] !== undefined);
  if (name === undefined) return null;
  const value = given[name] ?? null;
  const one = asString(value);
  const queries = one === null ? asArray(value).filter((item): item is string => typeof item === 'string') : [one];
  if (queries.length === 0) return null;
  return { queries, rest: { ...given, [name]: null } };
}

/** A query's terms in a form that is equal for queries that ask the same. */
export function canonicalQuery(query: string): string {
  const terms: string[] = [];
  // Quoted phrases and operators (site:, -word) stay as they are.
  const pieces =
    query.toLowerCase().match(/"[^"]*"|[\p{L}\p{N}_]+:\S+|-[\p{L}\p{N}]\S*|[\p{L}\p{N}][\p{L}\p{N}.,'’-]*/gu) ?? [];
  let bound = '';
  for (const piece of pieces) {
    const word = /^["-]|:/u.test(piece) ? piece : piece.replaceAll(/['’]s$|[.,'’-]+$/gu, '').replaceAll(/[’']/gu, '');
    if (word === '' || articles.has(word)) continue;
    if (binding.has(word)) {
      bound += `${word} `;
      continue;
    }
    terms.push(bound + word);
    bound = '';
  }
  if (bound !== '') terms.push(bound.trim());
  return terms.sort().join(' | ');
}

/** The links of a page of results, without their fragments. */
export function resultLinks(observation: string): ReadonlySet<string> {
  const links = new Set<string>();
  for (const [link] of observation.matchAll(/https?:\/\/[^\s)\]>"'#]+/gu)) links.add(link.replace(/[.,;]+$/u, ''));
  return links;
}
