/** A bar on standard error while a person looks on; nothing otherwise. */
export interface Progress {
  update(done: number, count: number): void
  stop(): void
}

const silent: Progress = { update: () => undefined, stop: () => undefined }

/** `total` is what `done` will reach; undefined where nobody knows, which shows a bare count. */
export async function startProgress(unit: string, total: number | undefined, wanted: boolean): Promise<Progress> {
  if (!wanted || !process.stderr.isTTY) return silent
  const { SingleBar, Presets } = await import('cli-progress')
  const format = total === undefined ? `{count} ${unit}` : `{bar} {percentage}%  {count} ${unit}  {eta_formatted}`
  const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true, clearOnComplete: true }, Presets.shades_classic)
  bar.start(total ?? 1, 0, { count: 0 })
  return { update: (done, count) => bar.update(total === undefined ? 0 : Math.min(done, total), { count }), stop: () => bar.stop() }
}
