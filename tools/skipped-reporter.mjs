/** Closes a test run with what was skipped and why, and one plain line of counts. A test says why with `context.skip('reason')`. */
export class SkippedReporter {
  onTestRunEnd(modules, errors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const results = tests.map((test) => ({ name: test.fullName, ...test.result() }))
    const count = (state) => results.filter((each) => each.state === state).length
    const skipped = results.filter((each) => each.state === 'skipped')
    const broken = errors.length + modules.filter((module) => module.errors().length > 0).length
    console.log(skipped.length === 0 ? 'Skipped: nothing.' : 'Skipped:')
    for (const { name, note } of skipped) console.log(`  ${name}: ${note ?? 'no reason given'}`)
    console.log(`${count('passed')} passed, ${count('failed') + broken} failed, ${skipped.length} skipped`)
  }
}
