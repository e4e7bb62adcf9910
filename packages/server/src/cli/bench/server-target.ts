import { type Client, part } from '../client.js'
import { CommandFailure, exitCodes } from '../exit-codes.js'
import type { ConsumeAsk, Target } from './target.js'

interface Sent {
  readonly results: readonly { readonly failure?: { readonly detail: string } }[]
}

interface Pulled {
  readonly messages: readonly { readonly token: string }[]
}

const waitMs = 5_000

/** A running server, over HTTP. */
export function serverTarget(client: Client): Target {
  const pullers = async ({ topic, group, batch, took, signal }: ConsumeAsk): Promise<void> => {
    while (!signal.aborted) {
      const begun = performance.now()
      const { messages } = await client.post<Pulled>('/pull', { topicName: topic, groupId: group, max: batch, waitMs }, signal)
      if (messages.length === 0) continue
      await client.post('/ack', { tokens: messages.map(({ token }) => token) })
      took(messages.length, performance.now() - begun)
    }
  }
  return {
    name: `server ${client.url}`,
    create: (name, settings) => client.post('/topics', { name, description: 'Made by millrace bench', ...settings }),
    async send(topicName, values) {
      const { results } = await client.post<Sent>('/messages/batch', { topicName, messages: values.map((value) => ({ value })) })
      const failed = results.find(({ failure }) => failure)?.failure
      if (failed) throw new CommandFailure(exitCodes.failed, `a message was not sent: ${failed.detail}`)
    },
    async consume(ask) {
      try {
        await Promise.all(Array.from({ length: ask.lanes }, () => pullers(ask)))
      } catch (error) {
        if (!ask.signal.aborted) throw error
      }
    },
    remove: (name) => client.delete(`/topics/${part(name)}`),
    close: () => Promise.resolve(),
  }
}
