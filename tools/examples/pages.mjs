/**
 * The programs of a page: blocks fenced as ```ts run or ```js run, each with what the next ```text output block says it
 * prints. One that is fenced as ```js run needs kafka has a server's name in `needs`. `line` is where the code begins.
 */
export function programsOf(page, markdown) {
  const blocks = fences(markdown)
  return blocks.flatMap(({ info, body, line }, index) => {
    const [, language, needs] = /^(ts|js) run(?: needs (\w+))?$/.exec(info) ?? []
    if (language === undefined) return []
    const next = blocks[index + 1]
    if (next?.info !== 'text output') throw new Error(`${page}:${line}: the code says "run" and no \`\`\`text output follows`)
    return [{ page, line, language, needs, code: body, expected: next.body }]
  })
}

function fences(markdown) {
  const lines = markdown.split('\n')
  const blocks = []
  let open
  for (const [index, text] of lines.entries()) {
    if (!text.startsWith('```')) {
      open?.lines.push(text)
    } else if (open === undefined) {
      open = { info: text.slice(3).trim(), lines: [], line: index + 2 }
    } else {
      blocks.push({ info: open.info, line: open.line, body: `${open.lines.join('\n')}\n` })
      open = undefined
    }
  }
  return blocks
}
