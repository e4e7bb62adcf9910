/** `cannot` of a row that breaks the engine's server. */
export function noServer({ name, serve }) {
  return serve ? undefined : `engine ${name} has no server of its own`
}

/** `cannot` of a row that breaks the engine's files. */
export function noFiles({ name, files }) {
  return files ? undefined : `engine ${name} keeps no files of its own`
}
