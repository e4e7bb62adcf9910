// A process of a run. Its first argument says which part it plays: `{ role, name, process, folder, engine, seed, options, ... }` as JSON.
import { join } from 'node:path'
import { Random } from '../random.mjs'
import { Recorder } from '../recorder.mjs'

const roles = {
  producer: () => import('./producer.mjs'),
  consumer: () => import('./consumer.mjs'),
  crowd: () => import('./crowd.mjs'),
  handler: () => import('./handler.mjs'),
  server: () => import('./server.mjs'),
  'http-producer': () => import('./http-producer.mjs'),
  'http-consumer': () => import('./http-consumer.mjs'),
  operator: () => import('./operator.mjs'),
  observer: () => import('./observer.mjs'),
  survivor: () => import('./survivor.mjs'),
  soloist: () => import('./soloist.mjs'),
}

const part = JSON.parse(process.argv[2])
const recorder = new Recorder(join(part.folder, 'history'), part.process)
const random = new Random(part.seed, part.process)

function say(word, details) {
  if (process.connected) process.send({ say: word, with: details })
}

const { adapter } = await import(part.engine)
const { play } = await (adapter.roles?.[part.role] ?? roles[part.role])()
const verbs = await play({ ...part, adapter, recorder, random, say })

async function perform({ call, verb, args }) {
  try {
    process.send({ call, ok: await verbs[verb]?.(...args) })
  } catch (error) {
    process.send({ call, error: `${error?.code ?? ''} ${error?.stack ?? error}` })
  }
  if (verb === 'end') process.disconnect()
}

process.on('message', (ask) => void perform(ask))
// Without the runner nobody would end it. After `end` all is closed and it ends by itself; what keeps it alive then is cut.
process.on('disconnect', () => process.exit())
recorder.record('ready', { elapsedMs: Math.round(performance.now()) })
say('ready')
