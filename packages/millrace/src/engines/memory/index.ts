export { die } from './die.js'
export { memory, type MemoryOptions } from './memory.js'
export { memoryStore, type MemoryStore } from './store.js'
