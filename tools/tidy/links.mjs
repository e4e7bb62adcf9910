import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'

/** A relative link on a page leads to a file that is there. */
export function links(tree) {
  const problems = []
  for (const page of tree.paths.filter((path) => path.endsWith('.md'))) {
    for (const [, target] of tree.read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      const [path] = target.split('#')
      if (path === '' || /^[a-z]+:/.test(path)) continue
      if (!existsSync(join(tree.root, posix.dirname(page), path))) problems.push(`${page}: the link to ${target} leads nowhere`)
    }
  }
  return problems
}
