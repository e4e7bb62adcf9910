import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { cacheFolder, keep, kept } from './cache.mjs'

let folder
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-cache-'))
  vi.stubEnv('SERVICES_CACHE', folder)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const text = (place) => readFileSync(join(place, 'a.txt'), 'utf8')
const writing = (content) => (place) => writeFileSync(join(place, 'a.txt'), content)

it('lies where the user keeps caches, or where they say', () => {
  expect(cacheFolder({ XDG_CACHE_HOME: '/caches' })).toBe('/caches/millrace')
  expect(cacheFolder({ XDG_CACHE_HOME: '/caches', SERVICES_CACHE: '/mine' })).toBe('/mine')
  expect(cacheFolder({})).toMatch(/\.cache.millrace$/)
})

it('makes a folder once', async () => {
  expect(kept('thing')).toBeUndefined()
  const place = await keep('thing', writing('first'))
  expect(await keep('thing', writing('second'))).toBe(place)
  expect(kept('thing')).toBe(place)
  expect(text(place)).toBe('first')
})

it('keeps nothing of a making that failed', async () => {
  const broken = async (place) => {
    writing('half')(place)
    throw new Error('no more')
  }
  await expect(keep('thing', broken)).rejects.toThrow('no more')
  expect(readdirSync(folder)).toEqual([])
})

it('makes it anew when a file is gone or cut short', async () => {
  for (const damage of [(file) => rmSync(file), (file) => writeFileSync(file, 'fi')]) {
    damage(join(await keep('thing', writing('first')), 'a.txt'))
    expect(kept('thing')).toBeUndefined()
    expect(text(await keep('thing', writing('first')))).toBe('first')
  }
})

it('two who make it at a time get one, whole, and leave nothing else', async () => {
  const [one, other] = await Promise.all([keep('thing', writing('same')), keep('thing', writing('same'))])
  expect(one).toBe(other)
  expect(readdirSync(folder)).toEqual(['thing'])
  expect(existsSync(join(one, 'a.txt'))).toBe(true)
})
