import { isBuiltin } from 'node:module'

/** Arrows point down: what a room imports is in its `may`, is of the room itself, of Node, or one of the package's dependencies. */
export function arrows(tree, { rooms, tests, arrowExceptions }) {
  const used = new Set()
  const problems = []
  for (const [file, { imports }] of tree.sources) {
    const room = roomOf(file, rooms)
    if (!room) {
      problems.push(`${file}: no room in tools/tidy/rules.mjs has this file: move it, or draw a room for it`)
      continue
    }
    for (const each of imports) {
      const wrong = wrongWith(tree, { file, room, rooms, tests }, each)
      const exception = wrong && arrowExceptions.find((known) => known.file === file && known.to === wrong.to)
      if (exception) used.add(exception)
      else if (wrong) problems.push(`${file}:${each.line}: ${wrong.why}`)
    }
  }
  for (const each of arrowExceptions) if (!used.has(each)) problems.push(`tools/tidy/rules.mjs: the arrow from ${each.file} to ${each.to} is excepted and not there: remove the exception`)
  return problems
}

/** The room with the longest path, with the folder for each `*`. */
export function roomOf(file, rooms) {
  const folders = file.split('/')
  let best
  for (const { room, may, packages = [] } of rooms) {
    const parts = room.split('/')
    if (!parts.every((part, index) => fits(part, folders, index))) continue
    const name = parts.map((part, index) => (part === '*' ? folders[index] : part)).join('/')
    if (!best || parts.length > best.length) best = { name, length: parts.length, may, packages }
  }
  return best
}

function fits(part, folders, index) {
  const isFile = index === folders.length - 1
  if (part === '*.ts') return isFile && folders[index].endsWith('.ts')
  return part === folders[index] || (part === '*' && !isFile)
}

function wrongWith(tree, place, each) {
  if (each.bare !== undefined) return wrongWithBare(tree, place, each.bare)
  if (each.file === null) return { to: each.path, why: `${each.specifier} is not a file` }
  const { file, room, rooms, tests } = place
  const to = roomOf(each.file, rooms)
  if (!to || to.name === room.name || room.may.includes(to.name)) return undefined
  if (packageOf(tree, file) !== packageOf(tree, each.file)) return { to: to.name, why: `${room.name} reaches into ${to.name}: import a public subpath` }
  if (tests.name.test(file)) return undefined
  return { to: to.name, why: `${room.name} must not import ${to.name}: arrows point down only` }
}

function wrongWithBare(tree, { file, room, tests }, specifier) {
  if (isBuiltin(specifier)) return undefined
  const name = packageName(specifier)
  const own = packageOf(tree, file)
  const other = tree.packages.find((each) => each.name === name)
  if (other) return wrongWithSubpath(other, own, room, specifier)
  if (room.packages.includes(name) || own?.manifest.dependencies?.[name]) return undefined
  if ((tests.name.test(file) || tests.helper.test(file)) && tests.packages.includes(name)) return undefined
  return { to: name, why: `${room.name} must not import the package ${name}: it is not a dependency of ${own?.name ?? 'this room'}` }
}

function wrongWithSubpath(other, own, room, specifier) {
  if (!other.subpaths.has(specifier)) return { to: specifier, why: `${specifier} is not a public subpath of ${other.name}` }
  if (other === own) return { to: specifier, why: `${specifier} is this package itself: import the file` }
  const allowed = room.may.some((each) => each === specifier || (each.endsWith('/*') && specifier.startsWith(each.slice(0, -1))))
  return allowed ? undefined : { to: specifier, why: `${room.name} must not import ${specifier}: arrows point down only` }
}

function packageOf(tree, file) {
  return tree.packages.find(({ folder }) => file.startsWith(`${folder}/`))
}

function packageName(specifier) {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}
