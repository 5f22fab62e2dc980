// `npm start [-- PATH]`: the extension in a real VS Code, in the browser of this machine, with a run open.
//
// PATH is a folder of logs or one log; without it, the sample workspace. `--port N` fixes the port, `--vsix FILE` takes a
// package that is made already. Ctrl+C ends it. The profile (theme, remembered runs) is kept in out/start/profile, or
// where `--profile DIR` says.
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { installVisualStudioCode } from '../test/vscode/install.mjs';
import { sampleWorkspace } from './sampleWorkspace.mjs';
import { packagePath, platformTarget } from './targets.mjs';

const repository = path.resolve(import.meta.dirname, '..');
// npm runs scripts in the clone; a PATH is meant from where the user typed it.
const typedIn = process.env.INIT_CWD ?? process.cwd();

main().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});

async function main() {
  const { values, positionals } = readArguments();
  const opened = positionals[0] === undefined ? undefined : path.resolve(typedIn, positionals[0]);
  const isFile = opened !== undefined && kindOf(opened) === 'file';

  const installation = await installVisualStudioCode({ browser: false });
  const vsix = values.vsix === undefined ? await makePackage() : path.resolve(typedIn, values.vsix);
  const { startServer } = await loadServer();
  console.log('Starting VS Code …');
  const server = await startServer({
    installation,
    vsix,
    directory: path.resolve(typedIn, values.profile),
    port: Number(values.port),
  });
  let stopped;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => (stopped = server.stop()));

  const folder = opened === undefined ? await sampleWorkspace() : isFile ? path.dirname(opened) : opened;
  console.log(
    `\nRollout Lens with ${opened ?? folder}\n\n  ${server.url(folder)}${isFile ? opening(server, opened) : ''}\n`,
  );
  console.log('Open this address in a browser on this machine. Ctrl+C ends it.');
  if (process.env.SSH_CONNECTION) {
    const { port } = new URL(server.address);
    console.log(`From your own machine: ssh -L ${port}:127.0.0.1:${port} HOST, then open the same address there.`);
  }
  await server.ended;
  if (stopped !== undefined) return stopped;
  console.error(`VS Code ended by itself. What it printed last:\n${server.log().slice(-4000)}`);
  return process.exit(1);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        port: { type: 'string', default: '0' },
        profile: { type: 'string', default: path.join(repository, 'out', 'start', 'profile') },
        vsix: { type: 'string' },
      },
    });
  } catch (error) {
    console.error(`${error.message}\nUsage: npm start [-- [PATH] [--port N] [--profile DIR] [--vsix FILE]]`);
    return process.exit(2);
  }
}

function kindOf(file) {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw new Error(`${file} does not exist. Give a folder of logs or one log file.`);
  return found.isDirectory() ? 'folder' : 'file';
}

async function makePackage() {
  execFileSync(process.execPath, [path.join(import.meta.dirname, 'package.mjs')], { stdio: 'inherit' });
  const manifest = JSON.parse(await readFile(path.join(repository, 'package.json'), 'utf8'));
  return path.join(repository, packagePath(manifest, platformTarget()));
}

/** server.ts is TypeScript, shared with the tests; Node 20 does not read it as it is. */
async function loadServer() {
  const outfile = path.join(repository, 'out', 'start', 'server.mjs');
  await build({
    entryPoints: [path.join(repository, 'test', 'vscode', 'server.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  });
  return import(pathToFileURL(outfile).href);
}

/** The part of the address that opens one file in the window. */
function opening(server, file) {
  const { host } = new URL(server.address);
  const payload = JSON.stringify([['openFile', `vscode-remote://${host}${encodeURI(file)}`]]);
  return `&payload=${encodeURIComponent(payload)}`;
}
