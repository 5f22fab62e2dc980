/**
 * The network of a replayer over a real port and a real server: large bodies both ways in messages below 1 MB, exactly;
 * what nobody wants any more ends at the server.
 */
import 'vscode-jsonrpc/node';
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { serialize } from 'node:v8';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { replayerNetwork } from '../../../src/host/replayerNetwork.ts';
import { mostPartBytes, type NetworkApi } from '../../../src/protocol/replay.ts';
import { openConnection, type Connection, type Port } from '../../../src/protocol/rpc.ts';
import { requestInParts } from '../../../src/replay/requestParts.ts';
import type { Request } from '../../../src/replay/requests.ts';

const mostMessageBytes = 1_000_000;
const patienceMs = 300;

let server: Server;
let endpoint = '';
/** Connections that the other side ended before the answer was whole. */
let brokenOff = 0;

beforeAll(async () => {
  server = createServer((request, answer) => {
    const url = new URL(request.url ?? '', 'http://server');
    const hash = createHash('sha256');
    let bytes = 0;
    request.on('data', (piece: Buffer) => {
      bytes += piece.length;
      hash.update(piece);
    });
    request.on('end', () => {
      if (url.pathname === '/v1/hash') {
        answer.setHeader('retry-after', '2');
        answer.statusCode = 429;
        answer.end(JSON.stringify({ bytes, sha256: hash.digest('hex') }));
        return;
      }
      answer.on('close', () => {
        if (!answer.writableFinished) brokenOff += 1;
      });
      if (url.pathname === '/v1/endless') {
        answer.write('x'.repeat(3 * mostPartBytes));
        return;
      }
      answer.end(textOf(Number(url.searchParams.get('bytes'))));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  endpoint = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/v1`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

/** So many bytes, in characters of one, two, three and four of them: cuts fall into the middle of some. */
function textOf(bytes: number): string {
  const cycle = 'aé中🙂';
  const whole = cycle.repeat(Math.floor(bytes / Buffer.byteLength(cycle)));
  return whole + 'b'.repeat(bytes - Buffer.byteLength(whole));
}

let largest = 0;
let messages = 0;
let connections: Connection[] = [];
let ports: MessagePort[] = [];
let request: Request;

beforeEach(() => {
  const { port1, port2 } = new MessageChannel();
  const host = openConnection(measured(port1));
  host.serve<NetworkApi>(
    replayerNetwork({
      endpoint,
      key: () => Promise.resolve(null),
      refused: (url) => `refused ${url}`,
      failed: (url, reason) => ({ message: `failed ${url}: ${reason}`, action: '' }),
      patienceMs,
    }),
  );
  const child = openConnection(measured(port2));
  request = requestInParts(child.client<NetworkApi>());
  connections = [host, child];
  ports = [port1, port2];
  [largest, messages, brokenOff] = [0, 0, 0];
});
afterEach(() => {
  for (const connection of connections) connection.dispose();
  for (const port of ports) port.close();
});

/** What a child's channel makes of a message is what v8 does. */
function measured(port: MessagePort): Port {
  return {
    send: (message) => {
      largest = Math.max(largest, serialize(message).length);
      messages += 1;
      port.postMessage(message);
    },
    onMessage: (listener) => {
      port.on('message', listener);
    },
    onClose: (listener) => {
      port.on('close', listener);
    },
  };
}

const sizes = [0, 1, 1000, mostPartBytes - 1, mostPartBytes, mostPartBytes + 1, 2 * mostPartBytes, 7_654_321];

describe('a body of any size', () => {
  it.each(sizes)('of %i bytes goes to the server as it is, in messages below 1 MB', async (bytes) => {
    const body = textOf(bytes);
    const answer = await request({ url: `${endpoint}/hash`, method: 'POST', body });
    expect(answer).toMatchObject({ status: 429, retryAfter: 2 });
    expect(JSON.parse(answer.body)).toEqual({ bytes, sha256: createHash('sha256').update(body).digest('hex') });
    expect(largest).toBeLessThan(mostMessageBytes);
  });
  it.each(sizes)('of %i bytes comes from the server as it is, in messages below 1 MB', async (bytes) => {
    const answer = await request({ url: `${endpoint}/text?bytes=${bytes}`, method: 'GET', body: null });
    expect(answer.body === textOf(bytes)).toBe(true);
    expect(largest).toBeLessThan(mostMessageBytes);
  });
  it('that is small costs one question', async () => {
    await request({ url: `${endpoint}/hash`, method: 'POST', body: '{}' });
    expect(messages).toBe(2);
  });
});

describe('what is not wanted any more', () => {
  it('ends at the server when the caller cancels in the middle of an answer', async () => {
    const controller = new AbortController();
    const asked = request({ url: `${endpoint}/endless`, method: 'GET', body: null }, controller.signal);
    await expect.poll(() => messages).toBeGreaterThan(4);
    controller.abort();
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
    await expect.poll(() => brokenOff).toBe(1);
  });
  it('ends when its process is gone and nobody asks for the rest', async () => {
    const network = connections[1]?.client<NetworkApi>();
    const first = await network?.request({ id: 'one', url: `${endpoint}/endless`, method: 'GET', body: null });
    expect(first?.more).toBe(true);
    await expect.poll(() => brokenOff, { timeout: 5_000 }).toBe(1);
    await expect(network?.receive({ id: 'one' })).rejects.toThrow(/no such answer/);
  });
  it('is not kept: several requests at once do not mix', async () => {
    const answers = await Promise.all(
      sizes.map((bytes) => request({ url: `${endpoint}/text?bytes=${bytes}`, method: 'POST', body: textOf(bytes) })),
    );
    expect(answers.map(({ body }) => Buffer.byteLength(body))).toEqual(sizes);
    await wait(2 * patienceMs);
    expect(brokenOff).toBe(0);
  });
});
