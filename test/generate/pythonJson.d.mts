// Types of pythonJson.mjs for the tests, which are TypeScript.

/** repr() of a Python float. */
export function pythonFloat(value: number): string;

/** One JSON value as Python's json.dumps(ensure_ascii=False) writes it; `key` decides between int and float. */
export function pythonJson(value: unknown, key?: string): string;
