export * from './chaos-engine.js'
export * from './hand-clock.js'
export * from './test-kit.js'
