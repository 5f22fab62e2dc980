/** Types of notices.mjs, for the tests. */
export const noticesFile: string;
export function packagesOf(files: readonly string[]): string[];
export function thirdPartyNotices(folders: readonly string[]): Promise<string>;
