import { describe, expect, it } from 'vitest'
import { treeOf } from './broken-tree.harness.mjs'
import { defaultExports } from './default-exports.mjs'
import { errorPage } from './error-page.mjs'
import * as rules from './rules.mjs'

const file = 'packages/millrace/src/core/x.ts'

describe('a default export is refused', () => {
  for (const text of ['export default 1', 'export default function five() {}', 'const x = 1\nexport { x as default }', `export { default } from './y.js'`]) {
    it(text, () => {
      expect(defaultExports(treeOf({ [file]: text }), rules)).toEqual([expect.stringContaining('a default export')])
    })
  }

  it('but where the table says that a tool needs one', () => {
    expect(defaultExports(treeOf({ 'vitest.config.ts': 'export default {}' }), rules)).toEqual([])
  })
})

it('a file that does not parse is a problem like any other', () => {
  expect(treeOf({ [file]: 'export const {' }).unread).toEqual([expect.stringContaining(`${file} does not parse`)])
})

describe('the page of error codes', () => {
  const codes = 'export const errorCodes = { FULL: true, LAPSED: false } as const'
  const problemsOf = (page) => errorPage(treeOf({ [rules.errorCodes.file]: codes, [rules.errorCodes.page]: page }), rules)
  const full = '| `FULL` | yes | a cause | what to do |\n'
  const lapsed = '| `LAPSED` | no | a cause | what to do |\n'

  it('has a line for every code', () => {
    expect(problemsOf(full + lapsed)).toEqual([])
    expect(problemsOf(full)).toEqual(['docs/errors.md: LAPSED has no line'])
  })

  it('has a code for every line', () => {
    expect(problemsOf(`${full}${lapsed}| \`GONE\` | no | a cause | what to do |\n`)).toEqual(['docs/errors.md: GONE is not an error code'])
  })

  it('says the same as the code about trying again', () => {
    expect(problemsOf(full.replace('yes', 'no') + lapsed)).toEqual(['docs/errors.md: FULL says "no" about trying again, the code says true'])
  })

  it('says what to do', () => {
    expect(problemsOf(`| \`FULL\` | yes | a cause | |\n${lapsed}`)).toEqual(['docs/errors.md: FULL has no line'])
  })
})
