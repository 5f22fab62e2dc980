// Installs the real VS Code (code-server and the Node it needs) for `npm test` and `npm start`.
//
// It is 800 MB and takes two to three minutes, so it is done on first use, into a cache outside the clone that is
// named by the hash of package-lock.json; a folder of that name is complete by construction (installed under a
// temporary name, then renamed). Also installs the Debian packages it needs, when it may.
// Leaves out: starting it (server.ts), and removing what older lock files left in the cache.
import { createHash } from 'node:crypto';
import { spawn, spawnSync } from 'node:child_process';
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = import.meta.dirname;

/** What building code-server's native modules takes: the Debian package, and how one sees that it is there. */
const buildPackages = {
  python3: () => runs('python3', '--version'),
  make: () => runs('make', '--version'),
  'g++': () => runs('g++', '--version'),
  'pkg-config': () => runs('pkg-config', '--version'),
  'libkrb5-dev': () => runs('pkg-config', '--exists', 'krb5-gssapi'),
  'libsecret-1-dev': () => runs('pkg-config', '--exists', 'libsecret-1'),
};
/** Fonts because Chromium comes without one when recommended packages are left out; the second draws Chinese. */
const browserPackages = ['chromium', 'fonts-dejavu-core', 'fonts-droid-fallback'];

/** Where Debian and others put Chromium; the variable wins, for machines that keep it elsewhere. */
const browserCandidates = [
  process.env.ROLLOUT_LENS_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
];

/** An installation: the Node that runs it and the script to run; both absolute. */
/** @typedef {{ readonly node: string, readonly entry: string }} Installation */

/** The Chromium to drive, or undefined where there is none. */
export function findBrowser() {
  return browserCandidates.find((candidate) => candidate && existsSync(candidate));
}

/**
 * Makes sure that the pinned VS Code is there, installing it on first use; progress goes to stdout.
 * Throws an Error whose message says what to install, where this machine cannot do it by itself.
 * @param {{ readonly browser: boolean }} needs whether Chromium is needed too
 * @returns {Promise<Installation>}
 */
export async function installVisualStudioCode({ browser }) {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    throw new Error(
      `The VS Code for tests and "npm start" runs on Linux x64 and arm64, not on ${process.platform}-${process.arch}. ` +
        'Use a Linux container, or open this folder in desktop VS Code and press F5.',
    );
  }
  const folder = await cacheFolder();
  const installed = existsSync(folder);
  const tools = installed ? [] : Object.keys(buildPackages).filter((name) => !buildPackages[name]());
  await installDebianPackages([...tools, ...(browser && !findBrowser() ? browserPackages : [])]);
  if (browser && !findBrowser()) {
    // Ubuntu's package of that name only points to a snap, which a container cannot run.
    throw new Error('There is no Chromium at the usual places. Install one and name it in ROLLOUT_LENS_CHROMIUM.');
  }
  if (!installed) await installInto(folder);
  return {
    node: path.join(folder, `node_modules/node-linux-${process.arch}/bin/node`),
    entry: path.join(folder, 'node_modules/code-server/out/node/entry.js'),
  };
}

/** Chromium's Vulkan driver in software and the loader that opens it: the GPU of the unit tests of replay. */
const softwareGpu = {
  'chromium-common': '/usr/lib/chromium/vk_swiftshader_icd.json',
  libvulkan1: `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/libvulkan.so.1`,
};

/** Installs the software GPU where this machine can do it by itself; elsewhere says what is missing. Never throws. */
export async function installSoftwareGpu() {
  if (process.platform !== 'linux') return;
  const missing = Object.keys(softwareGpu).filter((name) => !existsSync(softwareGpu[name]));
  try {
    await installDebianPackages(missing);
  } catch (error) {
    console.warn(`Tests on a GPU in software will be skipped. ${error.message}`);
  }
}

/** Content-addressed, so that a changed lock file installs anew and two clones share one copy. */
async function cacheFolder() {
  const hash = createHash('sha256').update(await readFile(path.join(here, 'package-lock.json')));
  const root = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
  return path.join(root, 'rollout-lens', `vscode-${process.arch}-${hash.digest('hex').slice(0, 16)}`);
}

async function installDebianPackages(missing) {
  if (missing.length === 0) return;
  const command = `apt-get update && apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (!existsSync('/etc/debian_version')) {
    throw new Error(
      `The tests need what Debian calls ${missing.join(', ')}. Install these with this machine's ` +
        'package manager (for Chromium, ROLLOUT_LENS_CHROMIUM may name another path) and run this again.',
    );
  }
  if (process.getuid() !== 0) {
    throw new Error(`Packages are missing. Run this, then try again: sudo sh -c '${command}'`);
  }
  console.log(`Installing Debian packages: ${missing.join(' ')}`);
  await quietly('sh', ['-c', command], { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
}

async function installInto(folder) {
  const temporary = `${folder}.${process.pid}.partial`;
  console.log(`Installing VS Code (code-server) for tests into ${folder}: 800 MB, two to three minutes, once.`);
  const started = Date.now();
  try {
    await mkdir(temporary, { recursive: true });
    for (const name of ['package.json', 'package-lock.json']) {
      await cp(path.join(here, name), path.join(temporary, name));
    }
    // Scripts are held back until code-server's own Node is there: built with another Node, its native modules do not load.
    await quietly('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: temporary, env: process.env });
    console.log(`  packages are there (${seconds(started)}); building its native modules`);
    const nodeFolder = path.join(temporary, `node_modules/node-linux-${process.arch}`);
    await quietly('npm', ['rebuild', 'code-server', 'argon2', '--foreground-scripts'], {
      cwd: temporary,
      env: {
        ...process.env,
        PATH: `${path.join(nodeFolder, 'bin')}${path.delimiter}${process.env.PATH}`,
        npm_config_nodedir: nodeFolder,
      },
    });
    await rename(temporary, folder).catch((error) => {
      // Another process installed the same meanwhile: its copy is as good.
      if (!existsSync(folder)) throw error;
    });
    console.log(`  VS Code is installed (${seconds(started)})`);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function runs(command, ...argv) {
  return spawnSync(command, argv, { stdio: 'ignore' }).status === 0;
}

/** Runs a command with its output held back, shown only when it fails; a line every 30 s says that it still runs. */
async function quietly(command, argv, options) {
  const started = Date.now();
  const child = spawn(command, argv, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = [];
  child.stdout.on('data', (bytes) => output.push(bytes));
  child.stderr.on('data', (bytes) => output.push(bytes));
  const timer = setInterval(() => console.log(`  … ${command} ${argv[0]} still runs (${seconds(started)})`), 30_000);
  try {
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    if (code === 0) return;
  } finally {
    clearInterval(timer);
  }
  const tail = Buffer.concat(output).toString('utf8').split('\n').slice(-60).join('\n');
  throw new Error(`"${command} ${argv.join(' ')}" failed. The end of what it printed:\n${tail}`);
}

function seconds(since) {
  return `${Math.round((Date.now() - since) / 1000)} s`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await installVisualStudioCode({ browser: true });
}
