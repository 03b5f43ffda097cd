import { uuidText } from '../effects/uuid-text.ts'

// Event ids derive from stream, command id and index, so that a retry of a command makes the same ids again. The mixing is
// bryc's public-domain cyrb128 (https://github.com/bryc/code), two UTF-16 units a round. It guards against accidents, not
// against someone who searches for collisions; nothing that Edict promises rests on the latter.

/** RFC 9562's version 8: an id by a rule of one's own. */
const VERSION = 8

/** The half-way state of the mixing, so that a stream's share of it is done once for each instance. */
export class EventIdSeed {
  readonly #a: number
  readonly #b: number
  readonly #c: number
  readonly #d: number

  constructor(streamId: string) {
    let a = 1779033703
    let b = 3144134277
    let c = 1013904242
    let d = 2773480762
    for (let at = 0; at < streamId.length; at++) {
      const unit = streamId.charCodeAt(at)
      a = b ^ Math.imul(a ^ unit, 597399067)
      b = c ^ Math.imul(b ^ unit, 2869860233)
      c = d ^ Math.imul(c ^ unit, 951274213)
      d = a ^ Math.imul(d ^ unit, 2716044179)
    }
    this.#a = a
    this.#b = b
    this.#c = c
    this.#d = d
  }

  /** The id of the event at an index (from 0) of what a command appends to the seed's stream: a UUID, as a flat string. */
  eventId(commandId: string, index: number): string {
    let a = this.#a ^ index
    let b = this.#b
    let c = this.#c
    let d = this.#d
    const { length } = commandId
    for (let at = 0; at < length; at += 2) {
      // Past the end, charCodeAt gives NaN, which `|` takes for 0; the length is mixed in below.
      const units = commandId.charCodeAt(at) | (commandId.charCodeAt(at + 1) << 16)
      a = b ^ Math.imul(a ^ units, 597399067)
      b = c ^ Math.imul(b ^ units, 2869860233)
      c = d ^ Math.imul(c ^ units, 951274213)
      d = a ^ Math.imul(d ^ units, 2716044179)
    }
    d ^= length
    a = Math.imul(c ^ (a >>> 18), 597399067)
    b = Math.imul(d ^ (b >>> 22), 2869860233)
    c = Math.imul(a ^ (c >>> 17), 951274213)
    d = Math.imul(b ^ (d >>> 19), 2716044179)
    return uuidText(a ^ b ^ c ^ d, b ^ a, c ^ a, d ^ a, VERSION)
  }
}
