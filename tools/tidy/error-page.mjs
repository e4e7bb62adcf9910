import { objectConstant } from './parse.mjs'

/** Every error code has a line on the page and every line a code, and both say the same about trying again. */
export function errorPage(tree, { errorCodes: { file, constant, page } }) {
  const source = tree.read(file)
  const codes = source === undefined ? undefined : objectConstant(file, source, constant)
  if (!codes) return [`${file}: there is no ${constant}`]
  const lines = codeLines(tree.read(page) ?? '')
  const problems = []
  for (const [code, retryable] of codes) {
    const again = lines.get(code)
    if (again === undefined) problems.push(`${page}: ${code} has no line`)
    else if (again !== (retryable === 'true' ? 'yes' : 'no')) problems.push(`${page}: ${code} says "${again}" about trying again, the code says ${retryable}`)
  }
  for (const code of lines.keys()) if (!codes.has(code)) problems.push(`${page}: ${code} is not an error code`)
  return problems
}

/** Rows like `| \`FULL\` | yes | cause | what to do |`. */
function codeLines(markdown) {
  return new Map([...markdown.matchAll(/^\| `([A-Z_]+)` \| (\w+) \|.*\S.*\|.*\S.*\|$/gm)].map(([, code, again]) => [code, again]))
}
