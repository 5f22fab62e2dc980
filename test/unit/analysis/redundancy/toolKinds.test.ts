/** What a tool's name says: a table of names that read, and of names that only look as if they did. */
import { expect, test } from 'vitest';
import { isReadOnlyTool } from '../../../../src/analysis/redundancy/toolKinds.ts';

test.each([
  'get_user_details',
  'search',
  'text_search',
  'read_file',
  'list_all_airports',
  'image_zoom_in_tool',
  'fetch',
])('%s reads', (name) => {
  expect(isReadOnlyTool(name)).toBe(true);
});

test.each([
  ...['book_reservation', 'update_user', 'get_and_delete'],
  // They move on: the same call means something else the second time.
  ...['scroll', 'scroll_down', 'get_next_question', 'find_next', 'show_previous', 'page_down'],
  'unheard_of',
])('%s may act', (name) => {
  expect(isReadOnlyTool(name)).toBe(false);
});
