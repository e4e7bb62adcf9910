import { suiteOf } from './clients.harness.js'
import { libraries } from './libraries.harness.js'

const library = libraries[1]
if (library !== undefined) suiteOf(library)
