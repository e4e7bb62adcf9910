/**
 * Every rule of `npm run tidy` that somebody may want to look up or change: the rooms and what they may import, the
 * limits, and each exception with its reason. An exception that nothing needs any more is itself a problem.
 */

/**
 * A file belongs to the room with the longest path that it starts with; `*` stands for any one folder, and each such
 * folder is a room of its own. `may` names rooms, or public subpaths of the workspace's packages; builtins of Node are
 * free, and a package may use its own `dependencies`.
 */
export const rooms = [
  { room: 'packages/millrace/src/core', may: [] },
  { room: 'packages/millrace/src/engine', may: ['packages/millrace/src/core'] },
  { room: 'packages/millrace/src/engines/*', may: ['packages/millrace/src/core', 'packages/millrace/src/engine'] },
  { room: 'packages/millrace/src/routing', may: ['packages/millrace/src/core'] },
  { room: 'packages/millrace/src/broker', may: ['packages/millrace/src/core', 'packages/millrace/src/engine', 'packages/millrace/src/routing'] },
  { room: 'packages/millrace/src/conformance', may: ['packages/millrace/src/core', 'packages/millrace/src/engine'] },
  { room: 'packages/millrace/src/testing', may: ['packages/millrace/src/core', 'packages/millrace/src/engine'] },
  {
    room: 'packages/millrace/src/index.ts',
    may: ['core', 'engine', 'routing', 'broker', 'engines/memory'].map((each) => `packages/millrace/src/${each}`),
  },
  { room: 'packages/server/src', may: ['millrace', 'millrace/*'] },
  { room: 'examples/*', may: ['millrace', 'millrace/*', '@millrace/server'], packages: ['lmdb'] },
  { room: 'tools', may: ['millrace', 'millrace/*', '@millrace/server'], packages: ['lmdb', 'oxc-parser', 'vitest'] },
  { room: 'vitest.config.ts', may: ['tools'], packages: ['vitest'] },
]

/** What a test may import on top of what its room may. A test stands beside its source and may use every room of its own package. */
export const tests = { name: /\.test\.(ts|mjs)$/, packages: ['vitest', 'fast-check', 'zod', 'lmdb'] }

/** Arrows that the rooms do not allow: one file to one room. */
export const arrowExceptions = []

/** In lines. A test file lists cases, so it may be longer; the callback of a `describe` is a chapter and not a function. */
export const limits = { fileLines: 300, testFileLines: 500, functionLines: 70, chapters: ['describe', 'suite'] }

/** Files and functions beyond their limit: `{ file, function?, lines, why }`. `lines` is the new limit. */
export const sizeExceptions = []

/** Where a default export is what a tool asks for. */
export const defaultExportExceptions = [{ file: 'vitest.config.ts', why: 'vitest reads its configuration from the default export' }]

/** Files that run though nothing imports them: `{ file, why }`. Scripts of package.json and `.ci/run` are found without being named. */
export const entries = [
  { file: 'vitest.config.ts', why: 'vitest finds it by its name' },
]

/** The table of codes, and the page that has a line for each. */
export const errorCodes = { file: 'packages/millrace/src/core/errors.ts', constant: 'errorCodes', page: 'docs/errors.md' }

/** Not looked at. */
export const skipped = ['node_modules', 'dist', 'coverage', '.git', '.scratch', 'data']
