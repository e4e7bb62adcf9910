// The service: sends the answers of a file and works on them in three groups, until it is told to stop.
import { once } from 'node:events'
import { fixed } from 'millrace'
import { answers } from './answers.mjs'
import { Postbox } from './postbox.mjs'
import { openQueue } from './queue.mjs'
import { Results } from './results.mjs'
import { reviewed } from './reviews.mjs'
import { sendFile } from './sending.mjs'
import { withAnswer } from './statistics.mjs'

const [file, folder, postboxState] = process.argv.slice(2)
const postbox = new Postbox({ isRepaired: postboxState === 'repaired' })
const results = new Results(folder)
const { statistics, cards, notices } = results
const progress = { sent: 0, duplicates: 0, counted: results.counted }
const stop = Promise.race([once(process, 'SIGTERM'), once(process, 'disconnect')])
const mill = openQueue(folder)
await mill.topics.ensure(answers)

mill.consume(answers, 'statistics', counting(({ value }) => {
  statistics.putSync(value.user, withAnswer(statistics.get(value.user), value))
}))

mill.consume(answers, 'reviews', counting(({ key, value }) => {
  cards.putSync(key, reviewed(cards.get(key), value))
}))

const notice = counting(({ value }) => {
  notices.putSync(value.user, (notices.get(value.user) ?? 0) + 1)
})
mill.consume(answers, 'notices', async (message, context) => {
  postbox.reach(message.value.user)
  await notice(message, context)
}, { retry: fixed({ attempts: 3, everyMs: 5 }) })

await sendFile(mill, file, report)
await stop
await mill.close()
await results.close()
if (process.connected) process.disconnect()

/** A handler whose change is made once for each message, however often it is delivered. */
function counting(change) {
  return async (message, { group }) => {
    const isNew = await results.once(group, message.id, () => change(message))
    if (isNew) report({ counted: progress.counted + 1 })
  }
}

function report(change) {
  Object.assign(progress, change)
  if (process.connected) process.send(progress)
}
