export * from './broker/index.js'
export * from './core/index.js'
export type { Census, Engine, GroupCensus, GroupPosition, Held, Page, PartitionCensus, Place, Published, StartAt, Stir, TopicCensus, Traits } from './engine/index.js'
export * from './routing/index.js'
