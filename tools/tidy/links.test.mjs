import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { links } from './links.mjs'
import { readTree } from './tree.mjs'

it('a link on a page leads to a file, out of the project, or to a heading', () => {
  const root = mkdtempSync(join(tmpdir(), 'tidy-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'docs'))
  writeFileSync(join(root, 'README.md'), '[a](docs/a.md) [b](docs/a.md#part) [c](https://example.org) [d](#part) [e](docs/)')
  writeFileSync(join(root, 'docs/a.md'), '[up](../README.md) [gone](gone.md)')
  expect(links(readTree(root))).toEqual(['docs/a.md: the link to gone.md leads nowhere'])
})
