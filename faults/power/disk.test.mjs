import { expect, it } from 'vitest'
import { Random } from '../random.mjs'
import { Disk } from './disk.mjs'

function disk(...records) {
  const made = new Disk()
  for (const record of records) made.take(record)
  return made
}

const write = (offset, text, length = 4_096) => ({ type: 'write', offset, length, bytes: Buffer.alloc(length, text) })
const [sync, synced, failed] = ['sync', 'synced', 'sync failed'].map((type) => ({ type, step: 1 }))
const link = { type: 'named' }
const folder = { type: 'folder synced' }

/** What a thousand power losses leave, each as the first letter of every sector, `-` for zeros. */
function outcomes(of) {
  const seen = new Set()
  const random = new Random('outcomes')
  for (let image = 0; image < 1_000; image += 1) {
    const bytes = of.image(random)
    seen.add(bytes === undefined ? 'none' : Array.from({ length: bytes.length / 512 }, (_, sector) => (bytes[sector * 512] === 0 ? '-' : String.fromCharCode(bytes[sector * 512]))).join(''))
  }
  return seen
}

it('what was synced stays', () => {
  expect(outcomes(disk(write(0, 'a'), link, folder, sync, synced))).toEqual(new Set(['aaaaaaaa']))
})

it('a file whose folder was never synced may be gone', () => {
  expect(outcomes(disk(write(0, 'a'), sync, synced, link))).toEqual(new Set(['none', 'aaaaaaaa']))
})

it('what was not synced is dropped, kept or torn, and a later write may be there without an earlier one', () => {
  const seen = outcomes(disk(write(0, 'a'), link, folder, sync, synced, write(0, 'b'), write(4_096, 'c')))
  expect(seen).toContain('aaaaaaaa')
  expect(seen).toContain('bbbbbbbbcccccccc')
  expect(seen).toContain('aaaaaaaacccccccc')
  expect([...seen].some((each) => /^a+b+a/.test(each))).toBe(true)
})

it('a sector holds any content that it has had since the sync', () => {
  const seen = outcomes(disk(write(0, 'a', 512), link, folder, sync, synced, write(0, 'b', 512), write(0, 'c', 512)))
  expect(seen).toEqual(new Set(['a', 'b', 'c']))
})

it('a sync that has begun promises nothing', () => {
  expect(outcomes(disk(write(0, 'a', 512), link, folder, sync, synced, write(0, 'b', 512), sync))).toEqual(new Set(['a', 'b']))
})

it('a write that waits for the disk settles its own page only', () => {
  const seen = outcomes(disk(write(0, 'a'), write(4_096, 'a'), link, folder, sync, synced, write(0, 'b', 512), write(4_096, 'c', 512), { type: 'durable', offset: 4_096, length: 512 }))
  expect(seen).toEqual(new Set(['aaaaaaaacaaaaaaa', 'baaaaaaacaaaaaaa']))
})

it('what a failed sync was to write may never come, however often it is synced again', () => {
  expect(outcomes(disk(write(0, 'a', 512), link, folder, sync, synced, write(0, 'b', 512), sync, failed, sync, synced))).toEqual(new Set(['a', 'b']))
})

it('a page that is written again after a failed sync comes whole with the next', () => {
  const seen = outcomes(disk(write(0, 'a'), link, folder, sync, synced, write(0, 'b', 512), sync, failed, write(512, 'c', 512), sync, synced))
  expect(seen).toEqual(new Set(['bcaaaaaa']))
})
