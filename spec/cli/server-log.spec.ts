import { afterEach, describe, expect, it } from '@jest/globals'
import { commandHandler, router } from 'edict'
import { logCommands } from '../../lib/cli/server-log.ts'
import { Add, Counter, recordingLogger, started, stopAll } from '../support/counter.ts'

afterEach(stopAll)

const adding = commandHandler(Counter, {
  commands: [Add],
  handle: { Add: ({ id }, { repository }) => repository.get(Counter, id) },
})
const counters = router('counters', (to) => to.identify(Counter, { by: 'id' }).dispatch(Add, { to: adding }))

describe('the log of edict server', () => {
  it('says why a queued command is tried again, and why it is a dead letter, also where its failure is a refusal', async () => {
    const app = await started({ router: counters, workers: 1, queue: { maxAttempts: 2, backoff: { base: 1 } } })
    const log = recordingLogger()
    logCommands(app, log)
    const receipt = await app.enqueue(Add({ id: 'nobody', by: 1 }))
    await expect(receipt.completed()).rejects.toMatchObject({ code: 'command_dead' })
    const told = log.entries.filter(({ level, message }) => level !== 'debug' && message.startsWith('queued command'))
    const fields = expect.objectContaining({ code: 'aggregate_not_found' })
    expect(told).toEqual([
      {
        level: 'warn',
        fields,
        message: expect.stringMatching(/^queued command is tried again: there is no Counter nobody/),
      },
      {
        level: 'error',
        fields,
        message: expect.stringMatching(/^queued command is a dead letter: there is no Counter nobody/),
      },
    ])
  })
})
