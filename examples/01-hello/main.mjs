import { Millrace, memory, topic } from 'millrace'
import { z } from 'zod'

const answers = topic('answers', {
  schema: z.object({ user: z.string(), word: z.string() }),
  key: (answer) => answer.user, // one user's answers keep their order
})
const mill = new Millrace({ engine: memory() })
await mill.topics.ensure(answers)

mill.consume(answers, 'statistics', async ({ value, attempt }) => {
  console.log(`${value.user} knows "${value.word}", attempt ${attempt}`)
  if (value.word === 'race') void mill.close()
})
await mill.send(answers, { user: 'ada', word: 'mill' })
await mill.send(answers, { user: 'ada', word: 'race' }, { delayMs: 100 })
