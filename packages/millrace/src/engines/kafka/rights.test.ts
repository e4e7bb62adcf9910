import { expect, it } from 'vitest'
import { MillraceError } from '../../core/errors.js'
import { Millrace } from '../../broker/index.js'
import { brokers, noBroker, pure } from './clients.harness.js'
import { kafka, type KafkaClient, kafkajs } from './index.js'
import { fresh } from './port.harness.js'

/** As a cluster answers to whom it does not let create topics. */
function withoutCreate(): KafkaClient {
  const client = kafkajs({ module: pure, brokers })
  client.admin.createTopic = ({ name }) => Promise.reject(new MillraceError('FORBIDDEN', `creating topic ${name}: not authorized`))
  return client
}

it('who may not create topics works with those that are there', async (context) => {
  if (noBroker !== undefined) context.skip(noBroker)
  const prefix = `${fresh('rights')}.`
  const maker = new Millrace({ engine: kafka({ client: kafkajs({ module: pure, brokers }), prefix }) })
  await maker.topics.ensure({ name: 'words', partitions: 1 })
  await maker.groups.create('words', 'readers')
  await maker.close()
  const mill = new Millrace({ engine: kafka({ client: withoutCreate(), prefix }) })
  await mill.send('words', 'mill')
  const seen: unknown[] = []
  mill.consume('words', 'readers', ({ value }) => void seen.push(value))
  await mill.groups.caughtUp('words')
  expect(seen).toEqual(['mill'])
  await expect(mill.topics.ensure('others')).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await mill.close()
})

it('nor can it open where nothing is there', async (context) => {
  if (noBroker !== undefined) context.skip(noBroker)
  const mill = new Millrace({ engine: kafka({ client: withoutCreate(), prefix: `${fresh('rights')}.` }) })
  await expect(mill.open()).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('creating topic') as string })
  await mill.close()
})
