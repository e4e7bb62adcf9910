import { Millrace } from 'millrace'
import { watched } from '../actors/watched.mjs'
import { adapter as kafka } from '../engines/kafka.mjs'
import { rivalAdapter } from './adapter.mjs'

/** Millrace on Kafka, with the same programs as its rivals, its own settings left alone. */
export const adapter = {
  ...rivalAdapter({
    name: 'millrace',
    choices: { client: kafka.choices.client },
    missing: (choices) => kafka.missing(choices),
    server: { missing: () => undefined, serve: (part) => kafka.serve({ ...part, nodes: 1 }) },
    observer: () => import('../actors/observer.mjs'),
    ownVerdicts: true,
    isShared: true,

    async open(part) {
      const { engine, leases } = watched(await kafka.open(part), withoutHandOvers(part.recorder))
      const mill = new Millrace({ engine })
      return {
        async send(topic, messages) {
          const answers = await mill.sendMany(topic, messages.map(({ id, key, partition, facts }) => ({ value: facts, id, key, partition })))
          const failed = answers.find(({ error }) => error)
          if (failed) throw failed.error
          return answers.map(({ ok: { partition, offset } }) => ({ partition, offset: String(offset) }))
        },
        async consume({ topic, group, member, leaseMs, handle }) {
          const run = ({ partition, offset, key, value, attempt }) => handle({ partition, offset, key, value, ...leases.get(`${partition}/${offset}`), attempt })
          const consumer = mill.consume(topic, group, run, { leaseMs, member })
          await consumer.ready
          return { close: () => consumer.close() }
        },
        close: () => mill.close(),
      }
    },
  }),
  open: (part) => kafka.open(part),
}

/** Rivals say nothing of what they hand over, so that whatever comes twice counts; the same here. */
function withoutHandOvers(recorder) {
  return new Proxy(recorder, {
    get(target, name) {
      if (name === 'record') return (kind, fields) => (kind === 'member' ? undefined : target.record(kind, fields))
      const value = target[name]
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
