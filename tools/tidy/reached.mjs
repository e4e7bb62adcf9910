/** Every file is reached from a package's exports or commands, a test, an example, a script, or an entry in the table. */
export function reached(tree, { tests, entries }) {
  const inScripts = new Set([...tree.scripts, tree.read('.ci/run') ?? ''].flatMap((script) => script.split(/[\s'"]+/)).map((word) => word.replace(/^\.\//, '')))
  const shipped = tree.packages.flatMap(({ subpaths, bins }) => [...subpaths.values(), ...bins])
  const isTest = (file) => tests.name.test(file)
  const starts = [...tree.sources.keys()].filter((file) => isTest(file) || inScripts.has(file) || shipped.includes(file) || isExample(file) || entries.some((each) => each.file === file))
  const found = follow(tree, starts)
  const live = follow(tree, starts.filter((file) => !isTest(file)))
  const ships = follow(tree, shipped)
  const problems = []
  for (const file of tree.sources.keys()) {
    if (!found.has(file)) problems.push(`${file}: nobody reaches it: use it or delete it`)
    else if (!live.has(file) && !isTest(file) && !isTestHelp(file)) problems.push(`${file}: only tests reach it: use it, delete it, or name it *.harness.ts, which does not ship`)
    else if (ships.has(file) && isTestHelp(file)) problems.push(`${file}: it is named a harness, which does not ship, and what ships reaches it`)
  }
  for (const file of shipped) if (!tree.sources.has(file)) problems.push(`${file}: a package.json exports it and it is not there`)
  for (const { file } of entries) if (!tree.sources.has(file)) problems.push(`tools/tidy/rules.mjs: the entry ${file} is not there: remove it`)
  return problems
}

function isExample(file) {
  return /^examples\/[^/]+\/main\.(mjs|ts)$/.test(file)
}

/** What only tests and tools use, and what does not ship. */
function isTestHelp(file) {
  return /(\.harness\.(ts|mjs)$|\/harness\/)/.test(file)
}

function follow(tree, starts) {
  const found = new Set()
  const queue = [...starts]
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (found.has(file)) continue
    found.add(file)
    for (const each of tree.sources.get(file)?.imports ?? []) {
      const next = each.file ?? subpathSource(tree, each.bare)
      if (next) queue.push(next)
    }
  }
  return found
}

function subpathSource(tree, bare) {
  return bare === undefined ? undefined : tree.packages.map(({ subpaths }) => subpaths.get(bare)).find((each) => each !== undefined)
}
