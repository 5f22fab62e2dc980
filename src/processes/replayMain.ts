/**
 * Entry of the replayer process: one model, asked over the IPC channel; it ends when that channel closes. The network is
 * the host's: requests to a server go back over the same channel. A native fault or a GPU out of memory ends this process
 * alone. Leaves out everything it answers (replay/replayerHandlers.ts).
 */
import 'vscode-jsonrpc/node';
import { processPort } from '../engine/processPort.ts';
import type { NetworkApi, ReplayerEvents } from '../protocol/replay.ts';
import { openConnection } from '../protocol/rpc.ts';
import { replayerHandlers } from '../replay/replayerHandlers.ts';
import { requestInParts } from '../replay/requestParts.ts';

/** Exit code after a bug, from sysexits.h: EX_SOFTWARE. */
const bugExitCode = 70;

function endWith(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(bugExitCode);
}

process.on('uncaughtException', endWith);
process.on('unhandledRejection', endWith);
process.on('disconnect', () => {
  process.exit(0);
});

const connection = openConnection(processPort(process));
connection.serve(
  replayerHandlers({
    tell: connection.emitter<ReplayerEvents>(),
    request: requestInParts(connection.client<NetworkApi>()),
  }),
);
