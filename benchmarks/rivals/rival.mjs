/**
 * A rival is a dependency of this folder and not of the project, so it may not be there: then it is named with the command that installs it, and the rest runs.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} load
 * @param {string[]} notes
 * @returns {Promise<T | undefined>}
 */
export async function rival(name, load, notes) {
  try {
    return await load()
  } catch (error) {
    const why = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND' ? 'is not installed' : `does not load (${String(error).split('\n')[0]})`
    notes.push(`${name} ${why} and was left out: npm ci --prefix benchmarks`)
    return undefined
  }
}
