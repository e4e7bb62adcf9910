import { expect, it } from 'vitest'
import { clientOf } from './index.js'

const verb = (): undefined => undefined
const node = { status: 'ready', options: {}, callBuffer: verb, duplicate: verb, subscribe: verb, on: verb, disconnect: verb }
const cluster = { ...node, isCluster: true, slots: [], nodes: verb }
const nodeRedis = { isOpen: true, sendCommand: verb, connect: verb, destroy: verb, duplicate: verb, subscribe: verb, sSubscribe: verb, on: verb }
const glide = { isClosed: false, config: { requestTimeout: 10_000 }, customCommand: verb, subscribe: verb, unsubscribe: verb, close: verb }

it.each([
  ['ioredis', false, node],
  ['ioredis', true, cluster],
  ['node-redis', false, nodeRedis],
  ['node-redis', true, { ...nodeRedis, slots: [], masters: [], nodeClient: verb }],
  ['node-redis', false, { ...nodeRedis, getMasterNode: verb }],
  ['GLIDE', false, glide],
  ['GLIDE', true, { ...glide, ssubscribe: verb }],
])('knows %s, in a cluster: %s', (name, isCluster, client) => {
  expect(clientOf(client)).toMatchObject({ name, isCluster })
})

it.each([
  ['is undefined', undefined],
  ['is null', null],
  ['is string', 'redis://127.0.0.1'],
  ['has neither callBuffer', {}],
  ['looks like ioredis, but has no duplicate', { ...node, duplicate: undefined }],
  ['looks like node-redis, but has no destroy', { ...nodeRedis, destroy: undefined }],
  ['looks like GLIDE, but has no subscribe', { ...glide, subscribe: undefined }],
  ['keyPrefix is set', { ...node, options: { keyPrefix: 'a:' } }],
  ['keyPrefix is set', { ...cluster, options: { redisOptions: { keyPrefix: 'a:' } } }],
  ['stringNumbers is set', { ...node, options: { stringNumbers: true } }],
  ['role is slave', { ...node, options: { role: 'slave' } }],
  ['scaleReads lets replicas answer', { ...cluster, options: { scaleReads: 'all' } }],
  ['readFrom lets replicas answer', { ...glide, config: { requestTimeout: 10_000, readFrom: 'preferReplica' } }],
  ['requestTimeout is 250', { ...glide, config: {} }],
])('refuses what it cannot work with: %s', (what, client) => {
  expect(() => clientOf(client)).toThrow(expect.objectContaining({ code: 'CONFIG', field: 'client', message: expect.stringContaining(what) }))
})
