/**
 * Every rule of `npm run tidy` that somebody may want to look up or change: the rooms and what they may import, the
 * limits, and each exception with its reason. An exception that nothing needs any more is itself a problem.
 */

const library = 'packages/millrace/src'
const server = 'packages/server/src'
const within = (source, ...names) => names.map((name) => `${source}/${name}`)
const published = ['millrace', 'millrace/*']

/**
 * A file belongs to the room with the longest path that it starts with; `*` stands for any one folder, and each such
 * folder is a room of its own; `*.ts` stands for the files that lie directly in a folder, one room together. `may` names rooms, or public subpaths of the workspace's packages; builtins of Node are
 * free, and a package may use its own `dependencies`.
 */
export const rooms = [
  { room: `${library}/core`, may: [] },
  { room: `${library}/engine`, may: within(library, 'core') },
  { room: `${library}/engines/*`, may: within(library, 'core', 'engine') },
  { room: `${library}/routing`, may: within(library, 'core') },
  { room: `${library}/broker`, may: within(library, 'core', 'engine', 'routing') },
  { room: `${library}/conformance`, may: within(library, 'core', 'engine') },
  { room: `${library}/testing`, may: within(library, 'core', 'engine', 'broker', 'engines/memory') },
  { room: `${library}/testing/harness`, may: within(library, 'core', 'engine', 'conformance', 'testing', 'engines/memory', 'engines/embedded', 'engines/kafka', 'engines/redis') },
  { room: `${library}/index.ts`, may: within(library, 'core', 'engine', 'routing', 'broker', 'engines/memory') },
  { room: `${server}/config`, may: published },
  { room: `${server}/access`, may: [...within(server, 'config'), ...published] },
  { room: `${server}/observe`, may: [...within(server, 'config'), ...published] },
  { room: `${server}/api`, may: [...within(server, 'config', 'access', 'observe'), ...published] },
  { room: `${server}/*.ts`, may: [...within(server, 'config', 'access', 'observe', 'api'), ...published] },
  { room: `${server}/cli`, may: [...within(server, 'config', 'access', 'observe', 'api', '*.ts'), ...published] },
  { room: 'examples/*', may: [...published, '@millrace/server'], packages: ['csv-parse', 'ioredis', 'kafkajs', 'lmdb', 'ts-fsrs', 'zod'] },
  { room: 'tools', may: [...published, '@millrace/server'], packages: ['@valkey/valkey-glide', 'ioredis', 'iovalkey', 'kafkajs', 'lmdb', 'oxc-parser', 'redis', 'rolldown', 'vitest'] },
  { room: 'benchmarks', may: ['tools', ...published, '@millrace/server'], packages: ['@platformatic/job-queue', 'bee-queue', 'better-sqlite3', 'bullmq', 'cli-table3', 'fastify', 'fastq', 'kafkajs', 'lmdb', 'plainjob', 'redis-smq'] },
  { room: 'faults', may: ['tools', ...published, '@millrace/server'], packages: ['@message-queue-toolkit/kafka', 'kafkajs', 'lmdb', 'toolkit-core', 'zod'] },
  { room: 'vitest.config.ts', may: ['tools'], packages: ['vitest'] },
]

/** What a test may import on top of what its room may. A test stands beside its source and may use every room of its own package. What tests share is a `helper`: of the two, it may have the packages. */
export const tests = { name: /\.test\.(ts|mjs)$/, helper: /\.harness\.(ts|mjs)$/, packages: ['vitest', 'fast-check', 'zod', 'lmdb', 'croner', 'kafkajs', 'ioredis', 'ioredis-5', 'iovalkey', 'redis', 'redis-5', '@valkey/valkey-glide'] }

/** Arrows that the rooms do not allow: one file to one room. */
export const arrowExceptions = [
  { file: 'tools/kafka-harness.mjs', to: `${library}/testing/harness`, why: 'as the last line' },
  { file: 'tools/redis-harness.mjs', to: `${library}/testing/harness`, why: 'as the last line' },
  { file: 'tools/conformance.mjs', to: `${library}/testing/harness`, why: 'the harnesses can kill an engine and turn its time, which nobody else should: they do not ship' },
]

/** In lines. A test file lists cases, so it may be longer; the callback of a `describe` is a chapter and not a function. */
export const limits = { fileLines: 300, testFileLines: 500, functionLines: 70, chapters: ['describe', 'suite'] }

/** Files and functions beyond their limit: `{ file, function?, lines, why }`. `lines` is the new limit. */
export const sizeExceptions = []

/** Where a default export is what a tool asks for. */
export const defaultExportExceptions = [{ file: 'vitest.config.ts', why: 'vitest reads its configuration from the default export' }]

/** Files that run though nothing imports them: `{ file, why }`. Scripts of package.json and `.ci/run` are found without being named. */
export const entries = [
  { file: 'vitest.config.ts', why: 'vitest finds it by its name' },
  { file: 'faults/rivals/toolkit-core/index.mjs', why: 'the package.json beside it makes it a dependency of rivals' },
  { file: 'faults/check.mjs', why: 'people run it on a history that a failed run has kept' },
]

/** Dependencies that are used without being imported. */
export const dependencyExceptions = [
  { name: '@types/node', why: 'the compiler reads it' },
  { name: 'typescript', why: 'the command tsc' },
  { name: 'oxlint', why: 'the command' },
  { name: 'oxlint-tsgolint', why: 'oxlint runs it to know types' },
]

/** The table of codes, and the page that has a line for each. */
export const errorCodes = { file: 'packages/millrace/src/core/errors.ts', constant: 'errorCodes', page: 'docs/errors.md' }

/** Not looked at. */
export const skipped = ['node_modules', 'dist', 'lib', 'coverage', '.git', '.scratch', 'data']
