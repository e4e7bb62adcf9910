export * from './partitioner.js'
export * from './murmur2.js'
