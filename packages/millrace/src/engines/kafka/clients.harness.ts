import { pathToFileURL } from 'node:url'
import { confluent } from './confluent.js'
import type { ConfluentModule } from './confluent/structure.js'
import { kafkajs } from './kafkajs/index.js'
import type { KafkaClient } from './port.js'

/** What the test run lends, or why it cannot. */
async function lent<What>(path: string): Promise<{ readonly what?: What; readonly missing?: string }> {
  const answer = await fetch(`${process.env.SERVICES_AT}/${path}`)
  const said = await answer.text()
  if (answer.status === 503) return { missing: said }
  if (!answer.ok) throw new Error(said)
  return { what: JSON.parse(said) as What }
}

const broker = await lent<{ readonly brokers: readonly string[] }>('kafka?nodes=1')
const library = await lent<{ readonly path: string }>('kafka/client')

/** `host:port` of a broker that the tests may use. */
export const brokers = broker.what?.brokers ?? []
/** Why there is no broker; undefined where there is one. */
export const noBroker = broker.missing
/** Why the native client cannot be tested. */
export const noNative = broker.missing ?? library.missing

export interface TestedClient {
  readonly name: string
  /** Why it cannot run here. */
  readonly missing: string | undefined
  /** `settings` are those of librdkafka; a client that has not its limits leaves them out. */
  make(settings?: Readonly<Record<string, string | number | boolean>>): KafkaClient
}

export const native = noNative === undefined && library.what ? await loaded(library.what.path) : undefined

export const pure = await import('kafkajs')

export const clients: readonly TestedClient[] = [
  {
    name: 'confluent',
    missing: noNative,
    make(settings = {}) {
      if (native === undefined) throw new Error('no native client')
      return confluent({ module: native, brokers, settings, admin: { module: pure } })
    },
  },
  {
    name: 'kafkajs',
    missing: noBroker,
    make: () => kafkajs({ module: pure, brokers }),
  },
]

async function loaded(path: string): Promise<ConfluentModule> {
  const module: unknown = await import(pathToFileURL(path).href)
  if (!isConfluent(module)) throw new Error(`${path} is not @confluentinc/kafka-javascript`)
  return module
}

function isConfluent(module: unknown): module is ConfluentModule {
  return typeof module === 'object' && module !== null && 'RdKafka' in module
}
