import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ServiceProcess } from './process.mjs'

let folder
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'millrace-process-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const processOf = (program, more = {}) =>
  new ServiceProcess({ id: 1, name: 'the mill', command: process.execPath, args: ['--eval', program], output: join(folder, 'out'), ready: 'the mill turns', ...more })
const turning = `console.log('the mill turns'); setInterval(() => {}, 1e6)`
const isGone = (pid) => {
  try {
    process.kill(pid, 0)
    return false
  } catch {
    return true
  }
}

it('starts, ends in every way, and starts again', async () => {
  const mill = processOf(turning)
  for (const end of [() => mill.kill(), () => mill.stop(), () => mill.kill('SIGINT')]) {
    await mill.start()
    const { pid } = mill
    expect(isGone(pid)).toBe(false)
    await end()
    expect(isGone(pid)).toBe(true)
    expect(mill.pid).toBeUndefined()
  }
  await mill.stop()
})

it('is started once at a time', async () => {
  const mill = processOf(turning)
  await mill.start()
  await expect(mill.start()).rejects.toThrow('the mill runs already')
  await mill.kill()
})

it('one that stands still is stopped all the same', async () => {
  const mill = processOf(turning)
  await mill.start()
  mill.pause()
  await mill.stop()
  expect(mill.pid).toBeUndefined()
})

it('one that does not want to stop is killed', async () => {
  const mill = processOf(`process.on('SIGTERM', () => {}); ${turning}`, { stopMs: 1 })
  await mill.start()
  await mill.stop()
  expect(mill.pid).toBeUndefined()
})

it('one that ends or hangs before it is ready is an error that shows what it said', async () => {
  await expect(processOf(`console.error('no water')`).start()).rejects.toThrow(/the mill ended before it was ready[^]*no water/)
  const hanging = processOf(`console.log('dry'); setInterval(() => {}, 1e6)`, { startMs: 1 })
  await expect(hanging.start()).rejects.toThrow('the mill was not ready within 0.001 s')
  expect(hanging.pid).toBeUndefined()
})

it('an error that a long farewell has pushed up is shown too', async () => {
  const program = `console.log('ERROR the river is dry'); for (let line = 0; line < 1_000; line += 1) console.log('good bye ' + line)`
  await expect(processOf(program).start()).rejects.toThrow(/ERROR the river is dry[^]*good bye 999/)
})

it('ends with the process that started it, even one that is killed', async () => {
  const file = join(folder, 'pid')
  const module = new URL('./process.mjs', import.meta.url).href
  const what = { id: 1, name: 'the mill', command: process.execPath, args: ['--eval', turning], output: join(folder, 'out'), ready: 'the mill turns' }
  const program = `
    const { ServiceProcess } = await import(${JSON.stringify(module)})
    const { writeFileSync, renameSync } = await import('node:fs')
    const mill = new ServiceProcess(${JSON.stringify(what)})
    await mill.start()
    mill.pause()
    writeFileSync(${JSON.stringify(`${file}.new`)}, String(mill.pid))
    renameSync(${JSON.stringify(`${file}.new`)}, ${JSON.stringify(file)})
    setInterval(() => {}, 1e6)`
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit' })
  await vi.waitUntil(() => existsSync(file), { timeout: 20_000 })
  parent.kill('SIGKILL')
  await once(parent, 'exit')
  await vi.waitUntil(() => isGone(Number(readFileSync(file, 'utf8'))), { timeout: 20_000 })
})
