/** A thing has one name everywhere, so nothing is exported as default. */
export function defaultExports(tree, { defaultExportExceptions }) {
  return [...tree.sources]
    .filter(([file, { defaultExport }]) => defaultExport !== undefined && !defaultExportExceptions.some((each) => each.file === file))
    .map(([file, { defaultExport }]) => `${file}:${defaultExport}: a default export: give it its name`)
}
