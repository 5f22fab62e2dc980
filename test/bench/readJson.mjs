// The yardstick of the bench: DuckDB's own read_json with typed columns over the same files, as a whole process.
//   node test/bench/readJson.mjs DIRECTORY THREADS
// Reads every key of a Metis dump (the nested ones as JSON, as a user would type them) and keeps what an index needs.
import { DuckDBInstance } from '@duckdb/node-api';

const [directory = '.', threads = '2'] = process.argv.slice(2);
const instance = await DuckDBInstance.create(':memory:', { threads, autoinstall_known_extensions: 'false' });
const connection = await instance.connect();
const result = await connection.runAndReadAll(
  `SELECT count(*), sum(score), sum(json_array_length(tool_interact_info)), count(DISTINCT md5(input || gts)),
          sum(length(output)), count(traj_stop_reason), sum(length(verl_tool_metrics::VARCHAR))
   FROM read_json($1, format = 'newline_delimited', maximum_object_size = 268435456, columns = {
     input: 'VARCHAR', output: 'VARCHAR', gts: 'VARCHAR', score: 'DOUBLE', step: 'BIGINT',
     tool_interact_info: 'JSON', traj_stop_reason: 'VARCHAR', verl_tool_metrics: 'JSON' })`,
  [`${directory}/*.jsonl`],
);
console.log(String(result.getRows()[0]?.[0]));
