export { drainList, type DrainItem, type DrainMill, type DrainOptions, type DrainProgress, type DrainSent, type DrainTopic } from './drain-list.js'
export { redis, type RedisOptions } from './redis.js'
export type * from './port.js'
