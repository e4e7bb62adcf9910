/** No file and no function outgrows its limit, and no exception outlives its need. */
export function sizes(tree, { limits, sizeExceptions, tests }) {
  const problems = []
  const needed = new Set()
  const check = (file, name, lines, limit, where) => {
    if (lines <= limit) return
    const exception = sizeExceptions.find((each) => each.file === file && each.function === name)
    if (exception) needed.add(exception)
    const allowed = exception?.lines ?? limit
    if (lines > allowed) problems.push(`${where}: ${lines} lines, the limit is ${allowed}: find the second noun and give it a file or a function`)
  }
  for (const [file, source] of tree.sources) {
    check(file, undefined, source.lines, tests.name.test(file) ? limits.testFileLines : limits.fileLines, file)
    for (const each of source.functions) {
      if (!limits.chapters.includes(each.argumentOf)) check(file, each.name, each.lines, limits.functionLines, `${file}:${each.line}: ${each.name}`)
    }
  }
  for (const each of sizeExceptions) {
    if (!needed.has(each)) problems.push(`tools/tidy/rules.mjs: ${each.function ?? each.file} is within its limit: remove the exception for ${each.file}`)
    if (!each.why) problems.push(`tools/tidy/rules.mjs: the exception for ${each.file} gives no reason`)
  }
  return problems
}
