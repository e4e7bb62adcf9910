/**
 * Between a process that ends itself and the store's thread. `process.exit` stops a worker thread wherever it is; inside a commit that would leave
 * LMDB's writer lock held by a thread that waits for itself, and with it every process that shares the store. So the exit waits for the
 * commit that is being written, and lets no other begin.
 */
const free = 0
const writing = 1
const shut = 2

const gates = new Set<Int32Array>()

/** A gate, for the application's thread: it is shut when the process ends. */
export function gateOfExit(): { readonly gate: SharedArrayBuffer; readonly remove: () => void } {
  const gate = new SharedArrayBuffer(4)
  const cell = new Int32Array(gate)
  if (gates.size === 0) process.on('exit', shutAll)
  gates.add(cell)
  const remove = (): void => {
    gates.delete(cell)
    if (gates.size === 0) process.off('exit', shutAll)
  }
  return { gate, remove }
}

function shutAll(): void {
  for (const cell of gates) {
    while (Atomics.compareExchange(cell, 0, free, shut) === writing) Atomics.wait(cell, 0, writing)
  }
}

/** Does work that must not be cut off, for the store's thread. Undefined when the process is ending: it was not begun. */
export function throughGate<T>(gate: SharedArrayBuffer, work: () => T): { readonly done: T } | undefined {
  const cell = new Int32Array(gate)
  if (Atomics.compareExchange(cell, 0, free, writing) === shut) return undefined
  try {
    return { done: work() }
  } finally {
    Atomics.store(cell, 0, free)
    Atomics.notify(cell, 0)
  }
}
