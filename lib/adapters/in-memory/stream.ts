import type { StreamState } from '../../event-store/stream-info.ts'
import type { Metadata } from '../../messages/recorded-event.ts'

/** What was decided about a stream as a whole. */
export interface StreamMark {
  readonly state: StreamState
  readonly metadata: Metadata
}

/** The rows, as far as a stream has to know them. */
interface CommandIds {
  commandIdAt(position: number): string
}

/** A stream as it lies in memory: where its events are among all rows, in the order of versions. */
export class Stream {
  readonly streamId: string
  readonly category: string
  /** Of most streams nothing was ever decided: one field for all of it costs them the least. */
  mark: StreamMark | undefined
  #positions: number[] | undefined
  /**
   * The first version that each command made, from the first look-up on: a stream whose callers vouch that their command ids
   * are new never pays for it.
   */
  #commands: Map<string, number> | undefined

  constructor(streamId: string, category: string) {
    this.streamId = streamId
    this.category = category
    this.mark = undefined
  }

  /** Why nothing more can be appended; undefined where it can. */
  get closed(): 'archived' | 'deleted' | undefined {
    const state = this.mark?.state
    return state === 'active' ? undefined : state
  }

  get version(): number {
    return this.#positions === undefined ? 0 : this.#positions.length
  }

  positionAt(version: number): number {
    return this.#positions?.[version - 1] as number
  }

  /** Adds the position of the next version. */
  add(position: number): void {
    // A first push would make room for 17, and of many streams most are short.
    if (this.#positions === undefined) this.#positions = [position]
    else this.#positions.push(position)
  }

  /** Notes which command made the versions from `version` on; to be told of every append. */
  noteCommand(commandId: string, version: number): void {
    if (this.#commands !== undefined && !this.#commands.has(commandId)) this.#commands.set(commandId, version)
  }

  /** The first version that a command made, or undefined where it made none. */
  versionOfCommand(commandId: string, rows: CommandIds): number | undefined {
    this.#commands ??= this.#indexCommands(rows)
    return this.#commands.get(commandId)
  }

  #indexCommands(rows: CommandIds): Map<string, number> {
    const commands = new Map<string, number>()
    for (let version = 1; version <= this.version; version++) {
      const commandId = rows.commandIdAt(this.positionAt(version))
      if (!commands.has(commandId)) commands.set(commandId, version)
    }
    return commands
  }
}
