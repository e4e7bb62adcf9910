import type { Static } from 'typebox'
import type { GroupShape } from '../api/group-shapes.js'
import type { HeldShape, MessageShape, TopicShape } from '../api/shapes.js'

/** What the server writes, by its own schemas. */
export type ShownMessage = Static<typeof MessageShape>
export type ShownHeld = Static<typeof HeldShape>
export type ShownTopic = Static<typeof TopicShape>
export type ShownGroup = Static<typeof GroupShape>
