/**
 * I16 audit has every admin action: a call with `by`, made through an interface that keeps an audit log, and answered ok, has its entry, by
 * the same person about the same thing; as many entries as calls. An entry more than calls is one that nobody made. Needs
 * calls with `by`.
 */
export const audit = {
  invariant: 'I16',
  watch({ suspect }) {
    const actions = new Map()
    const of = (event) => {
      const name = [event.by, event.action ?? event.op, event.topic, event.group, event.id].join('\n')
      if (!actions.has(name)) actions.set(name, { tried: [], done: [], entries: [] })
      return actions.get(name)
    }
    let applies = false
    return {
      invoked(event) {
        if (event.by === undefined) return
        applies = true
        of(event).tried.push(event)
      },
      answered(answer, invoke) {
        if (invoke.by !== undefined && answer.kind === 'ok') of(invoke).done.push(invoke)
      },
      audit(event) {
        of(event).entries.push(event)
      },
      end() {
        for (const { tried, done, entries } of actions.values()) {
          const [event] = tried.length > 0 ? tried : entries
          const what = `${event.op ?? event.action} by ${event.by}`
          if (entries.length < done.length) suspect(`${what}: ${done.length} done, ${entries.length} in the audit`, done.slice(-1))
          else if (entries.length > tried.length) suspect(`${what}: ${tried.length} tried, ${entries.length} in the audit`, entries.slice(-1))
        }
      },
      applies: () => applies,
    }
  },
}
