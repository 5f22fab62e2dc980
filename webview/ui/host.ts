/**
 * The way from a webview to its host: a Port over postMessage, and the state that outlives the page.
 * Leaves out what is said: each panel has its own interface in src/protocol.
 */
import 'vscode-jsonrpc/browser';
import type { Port } from '../../src/protocol/rpc.ts';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

/** The host as a port, and the page's saved state. */
export interface Host {
  readonly port: Port;
  /** What `save` kept before the page was last torn down; undefined the first time. Foreign data: check it. */
  readonly saved: unknown;
  save(state: unknown): void;
}

/** Connects to the host; once a page. */
export function connectHost(): Host {
  const api = acquireVsCodeApi();
  return {
    port: {
      send: (message) => {
        api.postMessage(message);
      },
      onMessage: (listener) => {
        window.addEventListener('message', (event: MessageEvent<unknown>) => {
          listener(event.data);
        });
      },
      // The page dies with its host: there is no one left to tell.
      onClose: () => undefined,
    },
    saved: api.getState(),
    save: (state) => {
      api.setState(state);
    },
  };
}
