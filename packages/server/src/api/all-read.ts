let reading: Promise<void> | undefined

/**
 * Resolves when this turn of the event loop has read every socket that was ready. Requests that wait for it are answered
 * one after another: what they send goes to the engine in one call, and the kernel wakes a client for many answers at once.
 */
export function allRead(): Promise<void> {
  reading ??= new Promise((resolve) => {
    setImmediate(() => {
      reading = undefined
      resolve()
    })
  })
  return reading
}
