// A code-server of our own: its own user data and extensions in one folder, a free loopback port, our VSIX installed.
//
// Used by the tests (through launch.ts) and by `npm start` (scripts/start.mjs bundles this file).
// Leaves out: installing code-server itself (install.mjs) and driving the workbench in a browser (workbench.ts).
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Installation } from './install.mjs';
import { descendants, sendSignal, stillRuns, type RunningProcess } from './processes.ts';

/** What a server is started with. */
export interface ServerOptions {
  readonly installation: Installation;
  /** Holds user data, extensions and configuration; made when missing, removed by whoever made it. */
  readonly directory: string;
  /** The extension to install first; none leaves the bare workbench. */
  readonly vsix?: string;
  /** User settings on top of `quietSettings`. */
  readonly settings?: Settings;
  /** `asked` is VS Code's default (Restricted Mode until trusted); `off` trusts everything and is ours. */
  readonly workspaceTrust?: 'off' | 'asked';
  /** 0, the default, lets the system choose. */
  readonly port?: number;
}

/** VS Code user settings by their full names. */
export type Settings = Readonly<Record<string, unknown>>;

/** A running code-server. */
export interface Server {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly address: string;
  readonly userDataDirectory: string;
  /** The address of the workbench with this folder or `.code-workspace` open, or of an empty window. */
  url(workspace?: string): string;
  /** Everything code-server printed so far. */
  log(): string;
  /**
   * Changes user settings (undefined removes one) for windows opened or reloaded afterwards. A window that is open does
   * not reliably see the change (code-server watches that file only sometimes): use workspace settings there.
   */
  setSettings(changes: Settings): Promise<void>;
  /** Living processes below the server whose command line matches: extension hosts, our engine, … */
  processes(pattern: RegExp): readonly RunningProcess[];
  /** Settles when the server has ended, by stop() or by itself. */
  readonly ended: Promise<void>;
  /** Stops the server and all that it started; settles when they are gone. */
  stop(): Promise<void>;
}

/** What would get in a test's way: welcome pages, AI promotion, prompts, updates. */
export const quietSettings: Settings = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': 'off',
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'workbench.startupEditor': 'none',
  'workbench.enableExperiments': false,
  'workbench.tips.enabled': false,
  // Settings open in a dialog otherwise, over which the palette does not open.
  'workbench.editor.useModal': 'off',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'security.workspace.trust.startupPrompt': 'never',
};

const startTimeoutMs = 120_000;
const stopTimeoutMs = 10_000;

/** Installs the extension, starts the server and settles once it listens; throws with its output where it does not. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { installation, directory, vsix, port = 0 } = options;
  const userDataDirectory = path.join(directory, 'user-data');
  const settingsFile = path.join(userDataDirectory, 'User', 'settings.json');
  const configuration = path.join(directory, 'config.yaml');
  await mkdir(path.dirname(settingsFile), { recursive: true });
  // Without a file of our own, code-server writes one with a password into the user's home.
  await writeFile(configuration, 'auth: none\n');
  await changeSettings(settingsFile, { ...quietSettings, ...options.settings });

  const folders = ['--user-data-dir', userDataDirectory, '--extensions-dir', path.join(directory, 'extensions')];
  const common = [installation.entry, '--config', configuration, ...folders];
  if (vsix !== undefined) {
    await finished(launch(installation, [...common, '--install-extension', vsix, '--force']), `installing ${vsix}`);
  }

  const trust = options.workspaceTrust === 'asked' ? [] : ['--disable-workspace-trust'];
  const flags = ['--auth', 'none', '--disable-telemetry', '--disable-update-check', '--ignore-last-opened', ...trust];
  const running = launch(installation, [...common, ...flags, '--bind-addr', `127.0.0.1:${port}`]);
  const address = await listening(running);

  return {
    address,
    userDataDirectory,
    url: (workspace) => workbenchUrl(address, workspace),
    log: running.output,
    setSettings: (changes) => changeSettings(settingsFile, changes),
    processes: (pattern) => descendants(running.child.pid).filter(({ command }) => pattern.test(command)),
    ended: ended(running.child),
    stop: () => stop(running.child),
  };
}

interface Running {
  readonly child: ChildProcess;
  output(): string;
}

function launch(installation: Installation, argv: readonly string[]): Running {
  const child = spawn(installation.node, argv, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: cleanEnvironment(),
    // A process group of its own: stop() then reaches whatever outlives its parent.
    detached: true,
  });
  let text = '';
  const add = (bytes: Buffer): void => void (text += bytes.toString('utf8'));
  child.stdout.on('data', add);
  child.stderr.on('data', add);
  return { child, output: () => text };
}

/** A terminal inside VS Code, vitest and code-server itself leave variables that change how a new server behaves. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(VSCODE_|ELECTRON_|CODE_SERVER_|VITEST|NODE_OPTIONS$|NODE_ENV$|PORT$|PASSWORD$|HASHED_PASSWORD$)/;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  // No marketplace: tests need no network, and what runs is what was packaged.
  return { ...Object.fromEntries(kept), EXTENSIONS_GALLERY: '{}' };
}

async function finished(running: Running, what: string): Promise<void> {
  const code = await new Promise<number | null>((resolve, reject) => {
    running.child.once('error', reject);
    running.child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`code-server failed while ${what} (exit ${code}):\n${running.output()}`);
}

async function listening({ child, output }: Running): Promise<string> {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const address = /HTTP server listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(output())?.[1];
    if (address !== undefined) return address;
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`code-server ended before it listened:\n${output()}`);
    }
    if (Date.now() > deadline) {
      await stop(child);
      throw new Error(`code-server did not listen within ${startTimeoutMs / 1000} s:\n${output()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function workbenchUrl(address: string, workspace: string | undefined): string {
  if (workspace === undefined) return `${address}/?ew=true`;
  const parameter = workspace.endsWith('.code-workspace') ? 'workspace' : 'folder';
  return `${address}/?${parameter}=${encodeURIComponent(workspace)}`;
}

async function changeSettings(file: string, changes: Settings): Promise<void> {
  const before: unknown = JSON.parse(await readFile(file, 'utf8').catch(() => '{}'));
  const after = { ...(typeof before === 'object' ? before : {}), ...changes };
  // undefined drops out here, which is how a setting is removed.
  await writeFile(file, `${JSON.stringify(after, undefined, 2)}\n`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => child.once('exit', () => resolve()));
}

async function stop(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  // Some start groups of their own and would outlive the server's group, so they are listed before it ends.
  const below = descendants(pid);
  sendSignal(-pid, 'SIGTERM');
  const late = setTimeout(() => sendSignal(-pid, 'SIGKILL'), stopTimeoutMs);
  await ended(child);
  clearTimeout(late);
  for (const left of below.filter(stillRuns)) sendSignal(left.pid, 'SIGKILL');
  // Until they are gone they hold files open in folders that the caller is about to remove.
  const deadline = Date.now() + stopTimeoutMs;
  while (below.some(stillRuns) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
}
