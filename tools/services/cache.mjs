import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, relative } from 'node:path'

const stampName = 'stamp.json'

/** Where things are kept that are made once and used by many runs. SERVICES_CACHE names another place. */
export function cacheFolder(env = process.env) {
  return env.SERVICES_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace')
}

/** The folder `name` of the cache when it is there and whole, else undefined. */
export function kept(name) {
  const place = join(cacheFolder(), name)
  return isWhole(place) ? place : undefined
}

/** The folder `name` of the cache. Where it is not there or not whole, `make(folder)` fills an empty one, which then takes its place at once: nobody sees a half. */
export async function keep(name, make) {
  const found = kept(name)
  if (found !== undefined) return found
  const place = join(cacheFolder(), name)
  const fresh = `${place}.${randomUUID().slice(0, 8)}`
  mkdirSync(fresh, { recursive: true })
  try {
    await make(fresh)
    writeFileSync(join(fresh, stampName), JSON.stringify(sizes(fresh)))
    return take(fresh, place)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

/** Somebody else may have been faster, with the same content. */
function take(fresh, place) {
  try {
    if (!isWhole(place)) rmSync(place, { recursive: true, force: true })
    renameSync(fresh, place)
  } catch (error) {
    if (!isWhole(place)) throw error
  }
  return place
}

function isWhole(place) {
  try {
    const stamp = JSON.parse(readFileSync(join(place, stampName), 'utf8'))
    return Object.entries(stamp).every(([path, size]) => statSync(join(place, path)).size === size)
  } catch {
    return false
  }
}

function sizes(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile())
  return Object.fromEntries(files.map(({ parentPath, name }) => join(parentPath, name)).map((path) => [relative(folder, path), statSync(path).size]))
}
