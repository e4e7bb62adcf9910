import { broken, type Mutant } from './mutant.js'

/** Faults in what is kept, moved, counted and rung for. */
export const keeping: readonly Mutant[] = [
  broken('trims unread messages', 'nothing that a group has not read is removed', () => (engine) => ({
    topics: { ...engine.topics, create: (config) => engine.topics.create({ ...config, mayPassUnread: true }) },
  })),

  broken('keeps what it may remove for ever', 'what every group has read goes once it is beyond the count to keep', () => (engine) => ({
    topics: { ...engine.topics, create: (config) => engine.topics.create({ ...config, keep: {} }) },
  })),

  broken('takes more than its cap', 'a full topic refuses what is new with FULL, and takes it when there is room', () => (engine) => ({
    topics: { ...engine.topics, create: (config) => engine.topics.create({ ...config, cap: { whenFull: 'refuse' } }) },
  })),

  broken('forgets a group that nobody has joined', 'a group that was created and never joined keeps its place', () => (engine) => ({
    groups: { ...engine.groups, create: async () => true },
  })),

  broken('forgets the epoch when a group is moved', 'a move bumps the epoch, and what was leased lapses', () => {
    const moves = new Map<string, number>()
    return (engine) => ({
      groups: {
        ...engine.groups,
        seek(topic, group, to, partition) {
          moves.set(`${topic} ${group}`, (moves.get(`${topic} ${group}`) ?? 0) + 1)
          return engine.groups.seek(topic, group, to, partition)
        },
        positions: async (topic, group) => (await engine.groups.positions(topic, group)).map((each) => ({ ...each, epoch: each.epoch - 2 * (moves.get(`${topic} ${group}`) ?? 0) })),
      },
    })
  }),

  broken('moves every group with one', 'the other groups stay where they are', () => {
    const groups = new Set<string>()
    return (engine) => ({
      join(request) {
        groups.add(request.group)
        return engine.join(request)
      },
      groups: {
        ...engine.groups,
        async seek(topic, _, to, partition) {
          for (const group of groups) await engine.groups.seek(topic, group, to, partition)
        },
      },
    })
  }),

  broken('moves a whole group for one partition', 'a group moved in one partition stays where it is in the others', () => (engine) => ({
    groups: { ...engine.groups, seek: (topic, group, to) => engine.groups.seek(topic, group, to) },
  })),

  broken('consumes what is browsed', 'browsing reads without consuming', () => {
    const groups = new Set<string>()
    return (engine) => ({
      join(request) {
        groups.add(request.group)
        return engine.join(request)
      },
      async browse(query) {
        const page = await engine.browse(query)
        for (const group of groups) await engine.groups.seek(query.topic, group, 'end')
        return page
      },
    })
  }),

  broken('forgets held messages in its census', 'counts follow a message through its life, and nothing is lost on the way', () => (engine) => ({
    async census() {
      const census = await engine.census()
      return { ...census, topics: census.topics.map((topic) => ({ ...topic, groups: topic.groups.map((group) => ({ ...group, retrying: 0, dead: 0 })) })) }
    },
  })),

  broken('never rings', 'a published message is rung for', () => () => ({ watch: () => () => undefined })),

  broken('lists held messages without end of a page', 'held messages come by pages, each once', () => (engine) => ({
    holds: (query) => engine.holds({ ...query, limit: 1_000 }),
  })),

  broken('keeps nothing when it is asked to', 'a keeper of one instance ripens what another holds', () => () => ({
    keep: async () => ({ stop: async () => undefined }),
  })),
]
