import { asEdictError, DuplicateCommandError, type EdictError } from '../errors.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { BatchEntry } from './batch-entry.ts'
import type { BatchMarker } from './batch-marker.ts'
import { answeredAgain, type CommandOutcome } from './command-outcome.ts'

/** What the commands that were given to a batch came to when it committed before, where it did. */
export class EarlierOutcomes {
  readonly #given: readonly BatchEntry[]
  readonly #marker: BatchMarker | undefined
  /** Of the commands that were given, as far as they were known when it was looked for. */
  #tenants: readonly (string | undefined)[] = []
  #found: readonly CommandOutcome[] | undefined
  #failure: EdictError | undefined

  constructor(given: readonly BatchEntry[], marker: BatchMarker | undefined) {
    this.#given = given
    this.#marker = marker
  }

  get areKnown(): boolean {
    return this.#found !== undefined
  }

  /** Why it cannot be told, though the batch may have committed: no command's failure. */
  get failure(): EdictError | undefined {
    return this.#failure
  }

  /** As they are given now. */
  get outcomes(): readonly CommandOutcome[] | undefined {
    return this.#found?.map((outcome, index) => answeredAgain(outcome, this.#given[index]))
  }

  /** The commands whose middleware has not run yet are taken to be whose the first one is. */
  async find(): Promise<readonly CommandOutcome[] | undefined> {
    if (this.#marker === undefined) return undefined
    const [first] = this.#given
    this.#tenants = this.#given.map(({ plan, pipeline, tenant }) =>
      plan.chain !== undefined && pipeline === undefined ? first?.tenant : tenant,
    )
    try {
      this.#found = await this.#marker.find(this.#given, this.#tenants)
      return this.#found
    } catch (error) {
      this.#failure = asEdictError(error, 'the batch')
      throw this.#failure
    }
  }

  /** Of one command by itself, which was found where it was loaded. */
  found(outcome: CommandOutcome): void {
    this.#found = [outcome]
  }

  /**
   * The result of a command, undefined where the batch has not committed. Its middleware has run by then: it may have said whose the
   * command is.
   *
   * @throws {DuplicateCommandError} `duplicate_command` where it is another tenant's: it was another batch
   */
  async of(entry: BatchEntry): Promise<ExecutionResult | undefined> {
    if (entry === this.#given[0]) await this.find()
    if (this.#found === undefined) return undefined
    const place = this.#given.indexOf(entry)
    // Only those that were given are asked for, and all of them were found.
    const { result } = this.#found[place] as CommandOutcome
    if (entry.tenant !== this.#tenants[place]) {
      this.#found = undefined
      throw new DuplicateCommandError(entry.commandId, result.streamId)
    }
    entry.isProvisional = false
    return result
  }
}
