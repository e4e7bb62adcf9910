import { lossesOf } from './losses.mjs'

/**
 * I1 no loss. A send that was answered ok comes to an end in every group, for every fault that the level at which it was answered
 * outlives. What the end may be is in losses.mjs. Messages with a delay are I6's, prepared ones I7's. Needs a rest with a census.
 */
export const noLoss = {
  invariant: 'I1',
  watch: ({ book, suspect }) => ({
    end() {
      for (const { message, group, isExcused } of lossesOf(book)) {
        if (isExcused || message.prepared || message.due !== undefined) continue
        const story = message.stories.find((each) => each.group === group)
        suspect(`${message.id} was acknowledged and is lost${group ? ` to ${group}` : ''}`, [message.sent, message.ok, story?.last])
      }
    },
    applies: () => book.rest.isComplete && book.rest.census.size > 0,
  }),
}
