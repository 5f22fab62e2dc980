/**
 * An OpenAI-compatible server on loopback for tests: answers each request as it is told, and remembers what it was asked.
 * Leaves out everything a real one checks.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came in. */
export interface JudgeRequest {
  readonly path: string;
  readonly authorization: string | null;
  readonly body: string;
}

/** How the server answers. */
export interface JudgeReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  readonly delayMs?: number;
}

/** A running server. */
export interface JudgeServer {
  /** "http://127.0.0.1:PORT/v1" */
  readonly endpoint: string;
  readonly requests: readonly JudgeRequest[];
  close(): Promise<void>;
}

/** A chat completion with this text. */
export function completion(text: string | null): string {
  return JSON.stringify({ choices: [{ index: 0, message: { role: 'assistant', content: text } }] });
}

/** Starts a server; `reply` may hang up by returning null. */
export async function startJudgeServer(reply: (request: JudgeRequest) => JudgeReply | null): Promise<JudgeServer> {
  const requests: JudgeRequest[] = [];
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const pieces: Buffer[] = [];
    for await (const piece of incoming) pieces.push(piece as Buffer);
    const request: JudgeRequest = {
      path: incoming.url ?? '',
      authorization: incoming.headers.authorization ?? null,
      body: Buffer.concat(pieces).toString('utf8'),
    };
    requests.push(request);
    const said = reply(request);
    if (said === null) {
      incoming.socket.destroy();
      return;
    }
    if (said.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, said.delayMs));
    response.writeHead(said.status ?? 200, { 'content-type': 'application/json', ...said.headers });
    response.end(said.body);
  };
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}/v1`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
