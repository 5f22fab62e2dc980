/**
 * Entry of a read worker thread: pure JavaScript, no native code. Everything it does is in engine/workerMessages.ts.
 */
import { parentPort } from 'node:worker_threads';
import { serveReading } from '../engine/workerMessages.ts';

if (parentPort !== null) serveReading(parentPort);
