import { expect, it } from 'vitest'
import { serverFailure } from './failure.js'

it.each([
  ['LOADING Redis is loading the dataset in memory', 'again', 'LOADING'],
  ["READONLY You can't write against a read only replica. script: f1, on @user_script:1.", 'again', 'READONLY'],
  ["ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica.", 'again', 'READONLY'],
  ["ERR Error running script (call to f_1): @user_script:1: -OOM command not allowed when used memory > 'maxmemory'. ", 'full', 'OOM'],
  ['ERR Script attempted to access a non local key in a cluster node script: f1, on @user_script:1.', 'again', 'ERR'],
  ['ERR max number of clients reached', 'again', 'ERR'],
  ['NOREPLICAS Not enough good replicas to write.', 'again', 'NOREPLICAS'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'full', 'OOM'],
  ['MISCONF Redis is configured to save RDB snapshots', 'refused', 'MISCONF'],
  ['NOPERM this user has no permissions', 'refused', 'NOPERM'],
  ['ERR unknown command', 'refused', 'ERR'],
])('reads %s', (text, became, code) => {
  expect(serverFailure(text, undefined)).toMatchObject({ became, code, message: text })
})

it('does not take the words of a client for those of a server', () => {
  expect(serverFailure('Connection is closed.', undefined)).toBeUndefined()
})
