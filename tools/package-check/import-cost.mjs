import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const pairs = 41
const rounds = 3

/**
 * Milliseconds that `import name` adds to a bare start of Node: the median over pairs of runs, one after the other, so
 * that a busy machine slows both. The best of a few rounds, as a neighbour can only make it look worse.
 */
export function importCost(folder, name, enoughMs) {
  const bare = join(folder, 'bare.mjs')
  const library = join(folder, 'library.mjs')
  writeFileSync(bare, '')
  writeFileSync(library, `import '${name}'\n`)
  let best = Infinity
  for (let round = 0; round < rounds && best > enoughMs; round += 1) {
    const costs = Array.from({ length: pairs }, () => {
      const start = time(bare)
      return time(library) - start
    })
    best = Math.min(best, median(costs))
  }
  return best
}

function time(file) {
  const start = performance.now()
  spawnSync(process.execPath, [file])
  return performance.now() - start
}

function median(numbers) {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1]
}
