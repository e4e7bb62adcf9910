import assert from 'node:assert/strict'
import { about } from '../case.js'
import { texts } from '../text.js'

export const order = about('order', {
  'messages of one key come in the order they were sent': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    const values = Array.from({ length: 60 }, (_, index) => `v${index}`)
    for (let from = 0; from < values.length; from += 20) await kit.publish(topic, 'k', ...values.slice(from, from + 20))
    await member.finishes(...values.slice(0, 7))
    await member.finishes(...values.slice(7))
  },

  'keys that share a partition each keep their order': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    const drafts = Array.from({ length: 40 }, (_, index) => kit.draft(topic, `v${index}`, { key: `k${index % 4}` }))
    await kit.send(...drafts)
    const taken = await member.take(drafts.length)
    for (const key of ['k0', 'k1', 'k2', 'k3']) {
      const got = texts(taken.filter(({ message }) => message.key === key))
      assert.deepEqual(got, drafts.filter((draft) => draft.key === key).map(({ value }) => new TextDecoder().decode(value ?? undefined)))
    }
  },

  'offsets of what a member gets from the log grow': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'a', 'b', 'c')
    const offsets = (await member.take(3)).map(({ message }) => message.offset)
    assert.ok(offsets.every((offset, index) => index === 0 || offset > (offsets[index - 1] ?? offset)))
  },

  'a key keeps its order when its member leaves in the middle': async (kit) => {
    const topic = await kit.topic()
    const first = await kit.member(topic, 'g')
    await kit.publish(topic, 'k', 'a', 'b', 'c', 'd')
    const [a] = await first.gets('a', 'b', 'c')
    await first.done(a ?? assert.fail())
    await first.leave()
    await (await kit.member(topic, 'g')).finishes('b', 'c', 'd')
  },

  'a key keeps its order when its owner dies in the middle': async (kit) => {
    const topic = await kit.topic()
    const doomed = await kit.another()
    const dying = await kit.member(topic, 'g', { engine: doomed.engine })
    await kit.publish(topic, 'k', 'a', 'b', 'c', 'd')
    const [a] = await dying.gets('a', 'b', 'c')
    await dying.done(a ?? assert.fail())
    await doomed.kill()
    const member = await kit.member(topic, 'g')
    for (const value of ['b', 'c', 'd']) await member.finishes(value)
    await member.getsNothing()
  },

  'what was delivered before comes before what was released, and that before the log': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, null, 'retried', 'returned', 'log')
    const [retried, returned] = await member.gets('retried', 'returned')
    const hold = await member.retry(retried ?? assert.fail(), 60_000)
    await kit.decide({ hold, to: 'release' })
    await member.back(returned ?? assert.fail())
    await member.finishes('returned', 'retried', 'log')
  },

  'messages handed back in any order come again in theirs': async (kit) => {
    const topic = await kit.topic()
    const member = await kit.member(topic, 'g')
    await kit.publish(topic, 'k', 'a', 'b', 'c', 'd')
    const [a, b, c] = await member.gets('a', 'b', 'c')
    await member.back(c ?? assert.fail())
    await member.back(a ?? assert.fail(), b ?? assert.fail())
    await member.finishes('a', 'b', 'c', 'd')
  },

  'each group reads a key in the same order': async (kit) => {
    const topic = await kit.topic()
    await kit.publish(topic, 'k', 'a', 'b', 'c')
    for (const group of ['one', 'two', 'three']) await (await kit.member(topic, group)).finishes('a', 'b', 'c')
  },
})
