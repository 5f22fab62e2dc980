// Writes JSON as Python's json.dumps(record, ensure_ascii=False) does: ", " and ": " between things, floats with a point.
// JavaScript has one number type, so the keys whose numbers are floats in a Metis dump are named here.
// JSON.stringify escapes strings exactly as Python does (a lone surrogate excepted, which would crash the real writer).

const floatKeys = new Set([
  'score',
  'time awaiting response_ms',
  'session_request_time',
  'close_traj_time',
  'X-Process-Time',
  'per_action_length',
  'per_obs_length',
  'per_action_logp',
  'tool_call_success',
  'is_traj_finished',
  'valid_traj',
  'response_size_mb',
]);

/** @param {string} key @returns {boolean} true where the Metis writer holds a Python float */
function isFloatKey(key) {
  return (
    floatKeys.has(key) ||
    key.endsWith('_ms') ||
    key.endsWith('_sec') ||
    key.endsWith('_logp') ||
    key.startsWith('tool_avg_')
  );
}

/**
 * repr() of a Python float.
 * @param {number} value
 * @returns {string}
 */
export function pythonFloat(value) {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/**
 * One JSON value as Python writes it.
 * @param {unknown} value
 * @param {string} key the key it stands under, which decides between int and float
 * @returns {string}
 */
export function pythonJson(value, key = '') {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number')
    return isFloatKey(key) || !Number.isInteger(value) ? pythonFloat(value) : String(value);
  if (Array.isArray(value)) return `[${value.map((item) => pythonJson(item, key)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  let text = '';
  for (const name of Object.keys(value)) {
    text += `${text === '' ? '' : ', '}"${name}": ${pythonJson(/** @type {Record<string, unknown>} */ (value)[name], name)}`;
  }
  return `{${text}}`;
}
