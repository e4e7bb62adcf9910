import { defineConfig } from 'vitest/config'
import { SkippedReporter } from './tools/skipped-reporter.mjs'

// The tests run as compiled: what is tested is what ships, and worker threads load the same files.
export default defineConfig({
  test: {
    include: ['packages/*/dist/**/*.test.js', '{tools,benchmarks,faults}/**/*.test.mjs'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    reporters: ['default', new SkippedReporter()],
  },
})
