// The notices of everything in a VSIX that is not ours: each package that was bundled or that is shipped as it is, with the
// licence files that it carries itself (licence, notice, third-party notices), read when the VSIX is made.
//
// A package without such a file gets the standard text of the licence that its manifest names; one that names none stops the
// packaging. Leaves out which packages those are (package.mjs) and our own licence.
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import licences from 'spdx-license-list/full.js';

/** Name of the file in the VSIX. */
export const noticesFile = 'THIRD_PARTY_NOTICES.txt';

const licenceFile = /^(licen[cs]e|copying|notices?|third-?party-?notices?)(\.(md|txt)|-[\w.-]+)?$/i;
const line = '='.repeat(100);

/** The folders of the packages that files below node_modules belong to: the innermost, sorted, each once. */
export function packagesOf(files) {
  const folders = files.flatMap((file) => {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file.replaceAll('\\', '/'));
    return found === null ? [] : [found[1]];
  });
  return [...new Set(folders)].sort();
}

/** The text of the file; `folders` are those of the packages. Throws where a package has no licence. */
export async function thirdPartyNotices(folders) {
  const packages = await Promise.all(folders.map(readPackage));
  // One package may lie in several places.
  const byName = new Map(packages.map((one) => [`${one.name} ${one.version}`, one]));
  const sorted = [...byName].sort(([a], [b]) => (a < b ? -1 : 1));
  const list = sorted.map(([title, { licence }]) => `${title} (${licence})`);
  const parts = sorted.map(([title, one]) => `${line}\n${title}\n${headOf(one)}\n\n${one.texts.join('\n\n')}`);
  const head = 'Rollout Lens is shipped with the following packages, each under its own licence.';
  return `${[head, list.join('\n'), ...parts].join('\n\n')}\n`;
}

function headOf({ licence, address, isStandardText }) {
  const origin = address === '' ? [] : [address];
  const note = isStandardText ? [`The package carries no licence file: the standard text of ${licence}.`] : [];
  return [`Licence: ${licence}`, ...origin, ...note].join('\n');
}

async function readPackage(folder) {
  const manifest = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
  const files = names.map(({ name }) => name).filter((name) => licenceFile.test(name));
  const { name, version, license: licence = '' } = manifest;
  const standard = Object.hasOwn(licences, licence) ? licences[licence].licenseText : null;
  if (files.length === 0 && standard === null) {
    throw new Error(`${name} ${version} has neither a licence file nor a licence that is known: "${licence}".`);
  }
  const read = (file) => readFile(path.join(folder, file), 'utf8');
  // The standard text leaves out whose copyright it is; no package of that kind says more than its name.
  const named = () => standard.replace(/<year>\s+<(copyright holders?|owner)>/gi, `the authors of ${name}`);
  const texts = files.length > 0 ? await Promise.all(files.sort().map(read)) : [named()];
  const repository = typeof manifest.repository === 'string' ? manifest.repository : manifest.repository?.url;
  return {
    name,
    version,
    licence: licence || 'see below',
    address: addressOf(repository ?? manifest.homepage ?? ''),
    isStandardText: files.length === 0,
    texts: texts.map((text) => text.replaceAll('\r\n', '\n').trim()),
  };
}

/** "git+https://host/owner/name.git" and "owner/name" as addresses that people open. */
function addressOf(repository) {
  if (/^[\w-]+\/[\w.-]+$/.test(repository)) return `https://github.com/${repository}`;
  return repository
    .replace(/^git\+/, '')
    .replace(/^git:/, 'https:')
    .replace(/\.git$/, '');
}
