// What a test in the real VS Code starts with: a server of its own with our VSIX, a window, a folder to work in.
//
// Leaves out: what is in the workspace (the test writes it, before or after).
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inject } from 'vitest';
import type { Installation } from './install.mjs';
import { startServer, type Server, type ServerOptions, type Settings } from './server.ts';
import { openWorkbench, type Workbench, type WorkbenchOptions } from './workbench.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly installation: Installation;
    readonly vsix: string;
  }
}

/** What differs between tests; the VSIX, the folders and the port are taken care of. */
export interface LaunchOptions
  extends Pick<ServerOptions, 'settings' | 'workspaceTrust'>, Pick<WorkbenchOptions, 'width' | 'height'> {
  /** Fills the workspace before the window opens; false opens an empty window. */
  readonly workspace?: ((folder: string) => Promise<void>) | false;
}

/** A window on a server of its own. */
export interface Launched {
  readonly server: Server;
  readonly workbench: Workbench;
  /** The folder that is open. */
  readonly workspace: string;
  /** Replaces the workspace's settings; the open window takes them up within a second or so. */
  setWorkspaceSettings(settings: Settings): Promise<void>;
  /** Another window on the same server, as a second browser tab would be; closed by its own `close()`. */
  openAnother(options?: WorkbenchOptions): Promise<Workbench>;
  /** Closes window and server and removes their folders. */
  close(): Promise<void>;
}

/** Animations only cost time here; a test about motion turns them on again. */
const testSettings: Settings = { 'workbench.reduceMotion': 'on' };

/** Starts all of it; `afterAll(() => launched.close())`. */
export async function launch(options: LaunchOptions = {}): Promise<Launched> {
  const directory = await mkdtemp(path.join(tmpdir(), 'rollout-lens-'));
  const workspace = await mkdtemp(path.join(tmpdir(), 'rollout-lens-workspace-'));
  const removed = async (): Promise<void> => {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    await rm(workspace, { recursive: true, force: true, maxRetries: 5 });
  };
  let server: Server | undefined;
  try {
    if (options.workspace) await options.workspace(workspace);
    server = await startServer({
      installation: inject('installation'),
      vsix: inject('vsix'),
      directory,
      settings: { ...testSettings, ...options.settings },
      workspaceTrust: options.workspaceTrust ?? 'off',
    });
    const size = { width: options.width ?? 1400, height: options.height ?? 900 };
    const folder = options.workspace === false ? {} : { workspace };
    const workbench = await openWorkbench(server, { ...size, ...folder });
    return {
      server,
      workbench,
      workspace,
      setWorkspaceSettings: async (settings) => {
        await mkdir(path.join(workspace, '.vscode'), { recursive: true });
        await writeFile(path.join(workspace, '.vscode', 'settings.json'), JSON.stringify(settings, undefined, 2));
      },
      openAnother: (another = { ...size, ...folder }) => openWorkbench(started(server), another),
      close: async () => {
        await workbench.close();
        await server?.stop();
        await removed();
      },
    };
  } catch (error) {
    await server?.stop();
    await removed();
    throw error;
  }
}

function started(server: Server | undefined): Server {
  if (server === undefined) throw new Error('The server is not running.');
  return server;
}
