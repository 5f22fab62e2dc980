// `npm run package [-- --target linux-arm64]`: a production build and one VSIX for one platform, under out/.
//
// The VSIX is made in a staging folder, so that it holds the native packages of its own platform only, whichever machine
// makes it; .vscodeignore says file by file what goes in. A warning of vsce fails the run. Leaves out: publishing.
import { execFileSync, spawnSync } from 'node:child_process';
import { cp, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { noticesFile, packagesOf, thirdPartyNotices } from './notices.mjs';
import { unpackSample } from './sampleWorkspace.mjs';
import { onnxRuntimes, packagePath, platformTarget, targets } from './targets.mjs';

const repository = path.resolve(import.meta.dirname, '..');
process.chdir(repository);

/** What of the clone may go in; .vscodeignore decides inside them. */
const staged = ['.vscodeignore', 'package.nls.json', 'README.md', 'CHANGELOG.md', 'LICENSE', 'dist', 'media', 'l10n'];

/** Packages that esbuild.mjs leaves external, with their own dependencies; a folder of node_modules each. */
function runtimePackages(target) {
  return ['@duckdb/node-api', '@duckdb/node-bindings', `@duckdb/node-bindings-${targets[target]}`, 'detect-libc'];
}

const { values } = parseArgs({ options: { target: { type: 'string', default: platformTarget() } } });
const target = values.target;
if (!(target in targets)) {
  console.error(`There is no target "${target}". Targets: ${Object.keys(targets).join(', ')}.`);
  process.exit(2);
}

const manifest = JSON.parse(await readFile('package.json', 'utf8'));
const staging = path.resolve('out', 'staging', target);
const vsix = path.resolve(packagePath(manifest, target));

// Without the old bundles, a bundle that is no longer built would still be packaged.
await rm('dist', { recursive: true, force: true });
await mkdir('out', { recursive: true });
const bundled = path.resolve('out', 'bundled.txt');
execFileSync(process.execPath, ['esbuild.mjs', '--production', '--inputs', bundled], { stdio: 'inherit' });

await rm(staging, { recursive: true, force: true });
await mkdir(staging, { recursive: true });
await stageManifest();
for (const name of staged.filter((name) => existsSync(name))) {
  await cp(name, path.join(staging, name), { recursive: true });
}
await stageSampleIndex();
for (const name of runtimePackages(target)) await stagePackage(name);
await flatten('@duckdb/node-api', '@duckdb/node-bindings');
if (target in onnxRuntimes) await stageOnnxRuntime(onnxRuntimes[target]);
await stageNotices();
await makeVsix();

/** Scripts would run inside vsce, and development packages would be looked for in the staging folder. */
async function stageManifest() {
  const { scripts: _scripts, devDependencies: _development, ...kept } = manifest;
  // vsce refuses a dependency that is not there.
  const { 'onnxruntime-node': runtime, ...dependencies } = kept.dependencies;
  if (target in onnxRuntimes) dependencies['onnxruntime-node'] = runtime;
  await writeFile(path.join(staging, 'package.json'), JSON.stringify({ ...kept, dependencies }, undefined, 2));
}

/** The sample runs are there at once where their index is shipped: a shard fits whichever machine built it. */
async function stageSampleIndex() {
  const runs = await unpackSample(path.resolve('out', 'package'));
  const index = path.join(staging, 'media', 'sample', 'index');
  execFileSync(process.execPath, ['dist/cli.cjs', 'index', runs, '--out', index], { stdio: 'ignore' });
}

/** From this clone's node_modules where it is there; another platform's binaries come by `npm pack`, once. */
async function stagePackage(name) {
  const to = path.join(staging, 'node_modules', name);
  const installed = path.resolve('node_modules', name);
  await cp(existsSync(installed) ? installed : await fetchPackage(name), to, { recursive: true, dereference: true });
}

/**
 * ONNX Runtime's package holds the binaries of all platforms (286 MB) and, for its install step only, a downloader with its
 * own dependencies. What is loaded is four small files, the binding and its libraries.
 */
async function stageOnnxRuntime({ folder, libraries }) {
  const from = path.resolve('node_modules', 'onnxruntime-node');
  const to = path.join(staging, 'node_modules', 'onnxruntime-node');
  const binaries = path.posix.join('bin/napi-v6', folder);
  const scripts = ['index.js', 'backend.js', 'binding.js', 'version.js'].map((name) => `dist/${name}`);
  const files = [...scripts, ...['onnxruntime_binding.node', ...libraries].map((name) => `${binaries}/${name}`)];
  for (const file of files) await cp(path.join(from, file), path.join(to, file));
  await stageTrimmedManifest('onnxruntime-node', { dependencies: ['onnxruntime-common'] });
  await stageTrimmedManifest('onnxruntime-common', { dependencies: [] });
  await flatten('onnxruntime-common');
}

/** A package's manifest as the VSIX needs it: no scripts, no module type for what is bundled as CommonJS. */
async function stageTrimmedManifest(name, { dependencies }) {
  const manifest = JSON.parse(await readFile(path.join('node_modules', name, 'package.json'), 'utf8'));
  const { version, license, repository, main } = manifest;
  const kept = Object.fromEntries(dependencies.map((other) => [other, manifest.dependencies[other]]));
  const file = path.join(staging, 'node_modules', name, 'package.json');
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify({ name, version, license, repository, main, dependencies: kept }, undefined, 2));
}

/** Of what is in the bundles and of what lies beside them; a trimmed package has its licence in the clone only. */
async function stageNotices() {
  const inside = packagesOf((await readFile(bundled, 'utf8')).split('\n'));
  const beside = packagesOf(await filesBelow(path.join(staging, 'node_modules')));
  const folders = beside.map((folder) => {
    const installed = path.resolve('node_modules', folder.slice(folder.lastIndexOf('node_modules/') + 13));
    return existsSync(installed) ? installed : folder;
  });
  await writeFile(path.join(staging, noticesFile), await thirdPartyNotices([...inside, ...folders]));
}

async function filesBelow(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

async function fetchPackage(name) {
  const version = JSON.parse(await readFile('node_modules/@duckdb/node-bindings/package.json', 'utf8')).version;
  const folder = path.resolve('out', 'fetched', `${name.replace('/', '-')}-${version}`);
  const unpacked = path.join(folder, 'package');
  if (existsSync(path.join(folder, 'complete'))) return unpacked;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  console.log(`Fetching ${name}@${version}`);
  const argv = ['pack', '--silent', '--pack-destination', folder, `${name}@${version}`];
  // On Windows npm is a .cmd file, which only a shell starts.
  const { status } = spawnSync('npm', argv, { stdio: 'ignore', shell: process.platform === 'win32' });
  const file = (await readdir(folder)).find((entry) => entry.endsWith('.tgz'));
  if (status !== 0 || file === undefined) {
    console.error(`npm could not fetch ${name}@${version}: see "npm pack ${name}@${version}".`);
    process.exit(1);
  }
  execFileSync('tar', ['-xzf', path.join(folder, file), '-C', folder]);
  await writeFile(path.join(folder, 'complete'), '');
  return unpacked;
}

/** Many small files (DuckDB: 181) become one: they load faster, and vsce warns above 100. */
async function flatten(name, ...external) {
  const folder = path.join(staging, 'node_modules', name);
  const { main } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
  await build({
    entryPoints: [path.resolve('node_modules', name, main)],
    outfile: path.join(folder, main),
    allowOverwrite: true,
    bundle: true,
    platform: 'node',
    target: 'node20',
    external,
    logLevel: 'warning',
  });
}

async function makeVsix() {
  await rm(vsix, { force: true });
  const vsce = path.resolve('node_modules', '@vscode', 'vsce', 'vsce');
  const argv = [vsce, 'package', '--target', target, '--out', vsix];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: staging, encoding: 'utf8' });
  const output = `${stdout}${stderr}`;
  if (status !== 0 || !existsSync(vsix)) {
    console.error(output);
    process.exit(1);
  }
  const { size } = await stat(vsix);
  console.log(`${path.relative(repository, vsix)}: ${(size / 1e6).toFixed(1)} MB`);
  if (/^\s*WARNING/m.test(output)) {
    console.error(`vsce warns, which fails the package:\n${output}`);
    process.exit(1);
  }
}
