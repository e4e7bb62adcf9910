import { expect, it } from 'vitest'
import { programsOf } from './pages.mjs'

const page = (info) => `words\n\`\`\`${info}\ncode()\n\`\`\`\n\n\`\`\`text output\nprinted\n\`\`\`\n`

it('a program of a page is a block that says that it runs, with what it prints', () => {
  expect(programsOf('a.md', page('ts run'))).toEqual([{ page: 'a.md', line: 3, language: 'ts', needs: undefined, code: 'code()\n', expected: 'printed\n' }])
  expect(programsOf('a.md', page('ts'))).toEqual([])
})

it('it may need a server', () => {
  expect(programsOf('a.md', page('js run needs kafka'))).toEqual([expect.objectContaining({ language: 'js', needs: 'kafka' })])
})

it('one without what it prints is refused', () => {
  expect(() => programsOf('a.md', '```js run\ncode()\n```\n')).toThrow('a.md:2: the code says "run"')
})
