// Removes what was built, so that no test of a deleted file is left to run: `npm run clean`.
import { readdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('../packages/', import.meta.url))
for (const name of readdirSync(packages)) {
  for (const built of ['dist', 'lib']) rmSync(`${packages}${name}/${built}`, { recursive: true, force: true })
}
