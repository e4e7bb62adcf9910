/** Whatever a package.json depends on, somebody imports; the table says what is used in another way. */
export function dependencies(tree, { dependencyExceptions }) {
  const manifests = tree.paths.filter((path) => /^(packages\/[^/]+\/)?package\.json$/.test(path))
  const needed = new Set()
  const problems = manifests.flatMap((path) => {
    const manifest = JSON.parse(tree.read(path))
    const imported = importedUnder(tree, path.slice(0, -'package.json'.length))
    return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).flatMap((name) => {
      if (imported.has(name) || imported.has(name.replace(/^@types\//, ''))) return []
      const exception = dependencyExceptions.find((each) => each.name === name)
      if (!exception) return [`${path}: nobody imports ${name}: remove it`]
      needed.add(exception)
      return []
    })
  })
  for (const each of dependencyExceptions) if (!needed.has(each)) problems.push(`tools/tidy/rules.mjs: ${each.name} needs no exception: remove it`)
  return problems
}

function importedUnder(tree, folder) {
  const imports = [...tree.sources].filter(([path]) => path.startsWith(folder)).flatMap(([, source]) => source.imports)
  return new Set(imports.flatMap(({ bare }) => (bare === undefined ? [] : [bare.split('/', bare.startsWith('@') ? 2 : 1).join('/')])))
}
