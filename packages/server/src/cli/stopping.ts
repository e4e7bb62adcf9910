/** Aborts at the first Ctrl-C or SIGTERM, so that a command can end well; a second one ends the process. */
export function untilStopped(): AbortSignal {
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  process.once('SIGTERM', () => stop.abort())
  return stop.signal
}
