import type { Engine, JoinRequest, Membership } from '../../engine/engine.js'
import type { Harness, Instance } from '../harness.js'

/** An engine that is right but for one fault, and the case that must catch it. */
export interface Mutant {
  /** The fault, as a sentence about the engine. */
  readonly name: string
  readonly expectCase: string
  /** The same harness, whose engines have the fault. */
  make(harness: Harness): Harness
}

/** What an instance of the broken engine does differently. What is kept outside of it is shared by the instances of a harness. */
type Break = (engine: Engine, instance: Instance) => Partial<Engine>

export function broken(name: string, expectCase: string, begin: () => Break): Mutant {
  return {
    name,
    expectCase,
    make(harness) {
      const differs = begin()
      return {
        ...harness,
        async open() {
          const instance = await harness.open()
          const engine = { ...delegate(instance.engine), ...differs(instance.engine, instance) }
          return { engine, kill: () => instance.kill(), close: () => engine.close() }
        },
        close: () => harness.close(),
      }
    },
  }
}

/** An engine whose members do something differently. */
export function brokenMember(name: string, expectCase: string, begin: () => (member: Membership, request: JoinRequest, engine: Engine) => Partial<Membership>): Mutant {
  return broken(name, expectCase, () => {
    const differs = begin()
    return (engine) => ({
      async join(request) {
        const member = await engine.join(request)
        return { ...delegateMember(member), ...differs(member, request, engine) }
      },
    })
  })
}

/** All verbs of an engine, passed on: to be spread over. */
export function delegate(engine: Engine): Engine {
  return {
    name: engine.name,
    traits: engine.traits,
    topics: engine.topics,
    groups: engine.groups,
    open: () => engine.open(),
    close: () => engine.close(),
    publish: (drafts, level) => engine.publish(drafts, level),
    join: (request) => engine.join(request),
    decide: (decisions) => engine.decide(decisions),
    keep: (request) => engine.keep(request),
    holds: (query) => engine.holds(query),
    browse: (query) => engine.browse(query),
    watch: (on) => engine.watch(on),
    census: () => engine.census(),
  }
}

function delegateMember(member: Membership): Membership {
  return { lease: (ask) => member.lease(ask), settle: (verdicts) => member.settle(verdicts), leave: () => member.leave() }
}
