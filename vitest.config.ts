import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { SkippedReporter } from './tools/skipped-reporter.mjs'

// The tests run as compiled: what is tested is what ships, and worker threads load the same files.
export default defineConfig({
  test: {
    include: ['packages/*/dist/**/*.test.js', '{tools,benchmarks,faults}/**/*.test.mjs'],
    globalSetup: fileURLToPath(new URL('./tools/services/test-run.mjs', import.meta.url)),
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    reporters: ['default', new SkippedReporter()],
  },
})
