/**
 * A replayer's requests over the host's network: bodies are cut into parts that fit into a message and put together again.
 * Owned by processes/replayMain.ts; tests call it directly. Leaves out the network (host/replayerNetwork.ts) and what is
 * asked (requests.ts).
 */
import { randomUUID } from 'node:crypto';
import { mostPartBytes, type NetworkApi } from '../protocol/replay.ts';
import type { Client } from '../protocol/rpc.ts';
import type { Request } from './requests.ts';

/** One request as a whole over a network that takes and gives parts. */
export function requestInParts(network: Client<NetworkApi>): Request {
  return async ({ url, method, body }, signal) => {
    const id = randomUUID();
    try {
      const bytes = body === null ? null : new TextEncoder().encode(body);
      let sent = 0;
      for (; bytes !== null && bytes.length - sent > mostPartBytes; sent += mostPartBytes) {
        await network.send({ id, part: bytes.slice(sent, sent + mostPartBytes) }, signal);
      }
      const last = bytes === null ? null : bytes.slice(sent);
      const answer = await network.request({ id, url, method, body: last }, signal);
      const decoder = new TextDecoder();
      let text = decoder.decode(answer.part, { stream: answer.more });
      for (let { more } = answer; more;) {
        const next = await network.receive({ id }, signal);
        ({ more } = next);
        text += decoder.decode(next.part, { stream: more });
      }
      return { status: answer.status, retryAfter: answer.retryAfter, body: text };
    } catch (error) {
      // Whatever is left there of it, parts or an answer that still comes in, is of no use any more.
      network.drop({ id }).catch(() => undefined);
      throw error;
    }
  };
}
