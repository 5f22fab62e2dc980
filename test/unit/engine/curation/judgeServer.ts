/** A judge on loopback that answers, dawdles, fails, or talks nonsense, as each test tells it to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';

/** What a request is answered. */
export interface Reply {
  readonly status?: number;
  /** Content of the message; the body itself where the status is not 200. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly afterMs?: number;
}

/** A running judge. */
export interface JudgeServer {
  /** Base address, with /v1. */
  readonly address: string;
  /** Prompts in the order in which they came. */
  readonly prompts: string[];
  readonly keys: (string | undefined)[];
  /** Most requests that were open at once. */
  mostOpen(): number;
}

const close: (() => void)[] = [];

afterEach(() => {
  for (const one of close.splice(0)) one();
});

/** Starts a judge that ends with the test. */
export async function judgeServer(reply: (prompt: string, request: number) => Reply): Promise<JudgeServer> {
  const prompts: string[] = [];
  const keys: (string | undefined)[] = [];
  const open = { now: 0, most: 0 };
  const server = createServer((request, response) => {
    open.now += 1;
    open.most = Math.max(open.most, open.now);
    response.on('close', () => {
      open.now -= 1;
    });
    void promptOf(request).then((prompt) => {
      prompts.push(prompt);
      keys.push(request.headers.authorization);
      const answer = reply(prompt, prompts.length - 1);
      setTimeout(() => {
        send(response, answer);
      }, answer.afterMs ?? 0);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}/v1`, prompts, keys, mostOpen: () => open.most };
}

async function promptOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const body = JSON.parse(Buffer.concat(pieces).toString()) as { messages: { content: string }[] };
  return body.messages[0]?.content ?? '';
}

function send(response: ServerResponse, { status = 200, text = '', headers = {} }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(
    status === 200 ? JSON.stringify({ choices: [{ message: { role: 'assistant', content: text } }] }) : text,
  );
}

/** An answer in the form that is asked for. */
export function verdict(score: number, reason = 'Because of the log.'): string {
  return JSON.stringify({ score, reason });
}
