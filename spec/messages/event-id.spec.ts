import { describe, expect, it } from '@jest/globals'
import { EventIdSeed } from '../../lib/messages/event-id.ts'
import { randomIds } from '../../lib/effects/ids.ts'
import { validate, version } from 'uuid'

describe('an event id', () => {
  it('is the same for the same stream, command id and index', () => {
    const once = new EventIdSeed('bank-account-1').eventId('c1', 0)
    expect(new EventIdSeed('bank-account-1').eventId('c1', 0)).toBe(once)
  })

  it('is a UUID of version 8', () => {
    const id = new EventIdSeed('bank-account-1').eventId('c1', 0)
    expect([validate(id), version(id)]).toEqual([true, 8])
  })

  it('differs by stream, by command id, by index, and by the length of the command id', () => {
    const ids = new Set<string>()
    for (let stream = 0; stream < 30; stream++) {
      const seed = new EventIdSeed(`s-${stream}`)
      for (let command = 0; command < 100; command++) {
        for (let index = 0; index < 10; index++) ids.add(seed.eventId(String(command), index))
      }
    }
    for (const commandId of ['x', 'x\0', 'x\0\0', 'x\0\0\0']) ids.add(new EventIdSeed('s').eventId(commandId, 0))
    expect(ids.size).toBe(30 * 100 * 10 + 4)
  })
})

describe('random ids', () => {
  it('are UUIDs of version 4, none of them twice', () => {
    const ids = randomIds()
    const made = Array.from({ length: 5_000 }, () => ids.next())
    expect(made.every((id) => validate(id) && version(id) === 4)).toBe(true)
    expect(new Set(made).size).toBe(5_000)
  })

  it('come from the randomness that they are given', () => {
    const zeros = { fill: (bytes: Uint8Array) => void bytes.fill(0), number: () => 0 }
    expect(randomIds(zeros).next()).toBe('00000000-0000-4000-8000-000000000000')
  })
})
