/**
 * The command line: the same core as the engine, for scripts, clusters and tests. Results go to stdout, problems to
 * stderr; exit code 0 = ok, 1 = some input unreadable, 2 = bad usage. What `--json` prints is a contract.
 * Owns arguments, help and exit codes. Leaves out the commands (cli/, a file each) and everything that is found or computed.
 */
import { parseArgs } from 'node:util';
import packageJson from '../package.json' with { type: 'json' };
import { messageOf, UserError } from './base/errors.ts';
import { print, problem, sentenceOf, UsageError, type Arguments, type Command } from './cli/command.ts';
import { curateCommand } from './cli/curateCommand.ts';
import { describeCommand } from './cli/describeCommand.ts';
import { episodeCommand } from './cli/episodeCommand.ts';
import { flagsCommand } from './cli/flagsCommand.ts';
import { indexCommand } from './cli/indexCommand.ts';
import { replayCommand } from './cli/replayCommand.ts';
import { stepsCommand } from './cli/stepsCommand.ts';
import { tableCommand } from './cli/tableCommand.ts';
import { listText } from './engine/plainText.ts';

const commands: Readonly<Record<string, Command>> = {
  describe: describeCommand,
  steps: stepsCommand,
  table: tableCommand,
  flags: flagsCommand,
  episode: episodeCommand,
  index: indexCommand,
  replay: replayCommand,
  curate: curateCommand,
};

const exitCodes = { ok: 0, unreadable: 1, usage: 2 } as const;

function helpText({ usage, sentence, options, flags, json, more }: Command): string {
  const rows = Object.entries({ ...options, ...flags }).map(([option, what]) => [`--${option}`, what] as const);
  const all = listText([...rows, ...(json ? [['--json', 'prints JSON'] as const] : []), ['--help', 'prints this']]);
  const columns = more ? `\n\nColumns:\n${more()}` : '';
  const first = sentence.charAt(0).toUpperCase() + sentence.slice(1);
  return `rollout-lens ${usage}\n\n${first}.\n\nOptions:\n${all}${columns}`;
}

function usageText(): string {
  const rows = Object.values(commands).map(({ usage, sentence }) => [usage, sentence] as const);
  return `rollout-lens: opens rollout logs of tool-using agents\n\n${listText(rows)}\n\nrollout-lens COMMAND --help says more. Exit codes: 0 ok, 1 some input unreadable, 2 bad usage.`;
}

function parse(name: string, command: Command, argv: readonly string[]): Arguments {
  const options = Object.fromEntries([
    ...Object.keys(command.options).map((option) => [option, { type: 'string' as const }] as const),
    ...[...Object.keys(command.flags ?? {}), ...(command.json ? ['json'] : [])].map(
      (option) => [option, { type: 'boolean' as const }] as const,
    ),
  ]);
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
    const given = new Map<string, unknown>(Object.entries(values));
    return {
      paths: positionals,
      option: (option) => {
        const value = given.get(option);
        return typeof value === 'string' ? value : null;
      },
      json: given.get('json') === true,
      flag: (flag) => given.get(flag) === true,
    };
  } catch (error) {
    throw new UsageError(`${name}: ${messageOf(error)}`);
  }
}

async function main([name, ...rest]: readonly string[]): Promise<number> {
  if (name === '--version' || name === '-v') {
    await print(packageJson.version);
    return exitCodes.ok;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    await print(usageText());
    return exitCodes.ok;
  }
  if (name === undefined) throw new UsageError(usageText());
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw new UsageError(`there is no command ${name}\n\n${usageText()}`);
  if (rest.includes('--help') || rest.includes('-h')) {
    await print(helpText(command));
    return exitCodes.ok;
  }
  return (await command.run(parse(name, command, rest))) ? exitCodes.ok : exitCodes.unreadable;
}

/** `rollout-lens table … | head` closes our output early: that is no problem of anyone. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.unreadable);
});

main(process.argv.slice(2))
  .catch((error: unknown) => {
    if (error instanceof UsageError) {
      problem(error.message);
      return exitCodes.usage;
    }
    if (error instanceof UserError) problem(sentenceOf(error));
    else problem(error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
    return exitCodes.unreadable;
  })
  .then((code) => {
    process.exitCode = code;
  })
  .catch(() => undefined);
