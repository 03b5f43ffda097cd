import { MiddlewareMisuseError, type EdictError } from '../errors.ts'
import type { Metadata } from '../messages/recorded-event.ts'
import type { Consistency } from '../routing/dispatch-options.ts'
import type { ExecutionResult } from '../routing/execution-result.ts'
import type { Pipeline } from '../routing/middleware.ts'
import type { BoardHandler, ConsistencyBoard } from './consistency-board.ts'
import { metadataValue } from '../event-store/frozen-metadata.ts'
import { checkedTenant } from '../aggregate/tenant.ts'
import { checkedMilliseconds } from './options.ts'

const NOTHING_ASSIGNED: Readonly<Record<string, unknown>> = Object.freeze({})

/** What a pipeline shows of an execution, and may change of it. */
export interface PipedExecution {
  readonly command: Pipeline['command']
  readonly commandId: string
  readonly correlationId: string
  readonly causationId: string
  readonly aggregateId: string
  readonly options: { readonly consistency: Consistency }
  /** It has entered the mailbox of its aggregate. */
  readonly begun: boolean
  /** What it comes to may still be rolled back when its middleware sees it. */
  readonly isProvisional?: boolean
  metadata: Metadata
  timeout: number
  tenant: string | undefined
}

/** The body of the pipeline that middleware sees: a face on one execution. */
export class CommandPipeline implements Pipeline {
  readonly application: string
  readonly #execution: PipedExecution
  readonly #board: ConsistencyBoard
  /** Made by the first `assign`: most middleware passes nothing on. */
  #assigns: Record<string, unknown> | undefined
  #consistency: Consistency
  #awaited: readonly BoardHandler[]
  #halted = false
  #response: unknown
  #responded = false
  #reply: unknown
  #result: ExecutionResult | undefined
  #error: EdictError | undefined

  constructor(
    execution: PipedExecution,
    services: { readonly applicationName: string; readonly board: ConsistencyBoard },
    awaited: readonly BoardHandler[],
  ) {
    this.application = services.applicationName
    this.#execution = execution
    this.#board = services.board
    this.#consistency = execution.options.consistency
    this.#awaited = awaited
  }

  get command(): Pipeline['command'] {
    return this.#execution.command
  }

  get commandId(): string {
    return this.#execution.commandId
  }

  get correlationId(): string {
    return this.#execution.correlationId
  }

  get causationId(): string {
    return this.#execution.causationId
  }

  get metadata(): Metadata {
    return this.#execution.metadata
  }

  get assigns(): Readonly<Record<string, unknown>> {
    return this.#assigns ?? NOTHING_ASSIGNED
  }

  get aggregateId(): string {
    return this.#execution.aggregateId
  }

  get consistency(): Consistency {
    return this.#consistency
  }

  set consistency(consistency: Consistency) {
    this.#awaited = this.#board.resolve(consistency)
    this.#consistency = consistency
  }

  get timeout(): number {
    return this.#execution.timeout
  }

  set timeout(milliseconds: number) {
    this.#refuseOnceBegun('the timeout')
    this.#execution.timeout = checkedMilliseconds('timeout', milliseconds)
  }

  get tenant(): string | undefined {
    return this.#execution.tenant
  }

  set tenant(tenant: string | undefined) {
    this.#refuseOnceBegun('the tenant')
    this.#execution.tenant = tenant === undefined ? undefined : checkedTenant(tenant)
  }

  get result(): ExecutionResult | undefined {
    return this.#result
  }

  get error(): EdictError | undefined {
    return this.#error
  }

  /** Whether the result, if there is one, is not stored yet. */
  get isProvisional(): boolean {
    return this.#execution.isProvisional === true
  }

  /** The handlers that the dispatch waits for. */
  get awaited(): readonly BoardHandler[] {
    return this.#awaited
  }

  get halted(): boolean {
    return this.#halted
  }

  get response(): unknown {
    return this.#response
  }

  get responded(): boolean {
    return this.#responded
  }

  get reply(): unknown {
    return this.#reply
  }

  assign(key: string, value: unknown): void {
    this.#assigns ??= {}
    this.#assigns[key] = value
  }

  assignMetadata(key: string, value: unknown): void {
    this.#refuseOnceBegun('metadata')
    this.#execution.metadata = Object.freeze({ ...this.#execution.metadata, [key]: metadataValue(key, value) })
  }

  halt(response?: unknown): void {
    if (this.#halted) return
    this.#halted = true
    this.#response = response
  }

  respond(value: unknown): void {
    if (this.#responded) return
    this.#responded = true
    this.#reply = value
  }

  /** The command is committed. */
  committed(result: ExecutionResult): void {
    // Middleware shares it with the caller, and with the wait for consistency.
    Object.freeze(result.events)
    this.#result = Object.freeze(result)
  }

  failed(error: EdictError): void {
    this.#error = error
  }

  #refuseOnceBegun(what: string): void {
    if (this.#execution.begun) {
      throw new MiddlewareMisuseError(`${what} cannot be changed any more: the command has begun`)
    }
  }
}
