/** Somebody asked for what there is not. */
export class NotAskedFor extends Error {}

/** What is asked of a service (services.mjs), whole: what is not said is as its first choice. Absent numbers stay absent. */
export function optionsOf({ options }, asked) {
  const said = Object.entries(asked).filter(([, value]) => value !== undefined)
  for (const [name, value] of said) {
    if (!Object.hasOwn(options, name)) throw new NotAskedFor(`${name}: only ${Object.keys(options).join(', ')} can be asked for`)
    const choices = options[name]
    if (choices === true ? !/^\d+$/.test(value) : !choices.includes(value)) throw new NotAskedFor(`${name} ${value}: ${choices === true ? 'a number' : choices.join(' or ')}`)
  }
  const byDefault = Object.entries(options).filter(([, choices]) => choices !== true).map(([name, [first]]) => [name, first])
  return { ...Object.fromEntries(byDefault), ...Object.fromEntries(said) }
}
