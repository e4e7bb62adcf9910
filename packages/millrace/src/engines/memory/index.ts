export { memory, type MemoryEngine, type MemoryOptions } from './memory.js'
export { memoryStore, type MemoryStore } from './store.js'
