import { parseSync, visitorKeys } from 'oxc-parser'

/**
 * What tidy asks of a source file: `imports` with specifier, line and whether it is named as a URL (a worker), `functions` with name, line and length,
 * `defaultExport` as a line or undefined, and the number of `lines`. Throws when it does not parse.
 */
export function parse(file, text) {
  const { program, errors } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors[0].message}`)
  const lineAt = lineFinder(text)
  const found = { imports: [], functions: [], defaultExport: undefined, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0) }
  walk(program, [], (node, parents) => {
    const specifier = specifierOf(node)
    if (specifier !== undefined) found.imports.push({ specifier, line: lineAt(node.start), isUrl: node.type === 'NewExpression' })
    if (isDefaultExport(node)) found.defaultExport = lineAt(node.start)
    if (isFunction(node)) found.functions.push(measure(node, parents, lineAt))
  })
  return found
}

/** The keys of `const NAME = { KEY: VALUE }` at the top of a file, with the source of each value. Undefined when there is none. */
export function objectConstant(file, text, name) {
  const { program } = parseSync(file, text)
  const declared = program.body.map((each) => (each.type === 'ExportNamedDeclaration' ? each.declaration : each)).filter((each) => each?.type === 'VariableDeclaration')
  const constant = declared.flatMap((each) => each.declarations).find((each) => each.id.name === name)
  if (!constant) return undefined
  const object = constant.init.type === 'TSAsExpression' ? constant.init.expression : constant.init
  return new Map(object.properties.map(({ key, value }) => [key.name ?? key.value, text.slice(value.start, value.end)]))
}

function walk(node, parents, visit) {
  visit(node, parents)
  const inside = [...parents, node]
  for (const key of visitorKeys[node.type] ?? []) {
    for (const child of [node[key]].flat()) if (child) walk(child, inside, visit)
  }
}

/** Every way in which one file names another. */
function specifierOf(node) {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return literal(node.source)
    case 'NewExpression':
      return node.callee.name === 'URL' && isImportMeta(node.arguments[1], 'url') ? relative(literal(node.arguments[0])) : undefined
    case 'CallExpression':
      return isImportMeta(node.callee, 'resolve') ? literal(node.arguments[0]) : undefined
    default:
      return undefined
  }
}

function literal(node) {
  return node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined
}

/** A URL beside `import.meta.url` is relative however it is written, and a folder is not an import. */
function relative(path) {
  return path === undefined || path.endsWith('/') || path.endsWith('.') || path.includes(':') ? undefined : path.startsWith('.') ? path : `./${path}`
}

function isImportMeta(node, property) {
  return node?.type === 'MemberExpression' && node.object.type === 'MetaProperty' && node.property.name === property
}

function isDefaultExport(node) {
  return node.type === 'ExportDefaultDeclaration' || (node.type === 'ExportSpecifier' && node.exported.name === 'default')
}

function isFunction(node) {
  return (node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression') && node.body
}

function measure(node, parents, lineAt) {
  const parent = parents.at(-1)
  const line = lineAt(node.start)
  const argumentOf = parent.type === 'CallExpression' ? calleeName(parent.callee) : undefined
  const name = (node.id ?? parent.key ?? parent.id)?.name ?? (argumentOf ? `the callback of ${argumentOf}` : `the function in line ${line}`)
  return { name, line, lines: lineAt(node.end) - line + 1, argumentOf }
}

/** `describe` of `describe(...)`, of `describe.skip(...)` and of `describe.each(...)(...)`. */
function calleeName(node) {
  if (node.type === 'MemberExpression') return calleeName(node.object)
  if (node.type === 'CallExpression') return calleeName(node.callee)
  return node.name
}

function lineFinder(text) {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (starts[middle] <= offset) low = middle
      else high = middle
    }
    return low + 1
  }
}
