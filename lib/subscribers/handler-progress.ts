import type { BoardRegistration, ConsistencyBoard } from '../dispatch/consistency-board.ts'

/** Whom the runner of a handler tells how far it is. */
export interface HandlerProgress {
  /** It starts, perhaps anew. `awaited` is called when somebody begins to wait for the handler, and when nobody does any more. */
  begun(awaited: (isAwaited: boolean) => void): void
  /** Every event up to here is handled, or of no interest; by this runner, or by another owner. */
  acknowledge(position: number): void
  /** It stopped before an event, or could not go on. */
  failed(error: unknown): void
  /** It was stopped, or gave its place up. */
  stopped(error: unknown): void
}

/** Tells the board, on which dispatches wait. */
export class BoardProgress implements HandlerProgress {
  readonly #board: ConsistencyBoard
  readonly #name: string
  readonly #registration: BoardRegistration
  #awaited: ((isAwaited: boolean) => void) | undefined

  constructor(board: ConsistencyBoard, name: string, registration: Omit<BoardRegistration, 'awaited'>) {
    this.#board = board
    this.#name = name
    this.#registration = { ...registration, awaited: (isAwaited) => this.#awaited?.(isAwaited) }
    // From the start on: a handler that starts earlier may dispatch a command that waits for this one.
    board.register(name, this.#registration)
  }

  begun(awaited: (isAwaited: boolean) => void): void {
    this.#awaited = awaited
    const handler = this.#board.handler(this.#name)
    if (handler?.failure) this.#board.register(this.#name, this.#registration)
    else awaited(handler?.isAwaited ?? false)
  }

  acknowledge(position: number): void {
    this.#board.acknowledge(this.#name, position)
  }

  failed(error: unknown): void {
    this.#board.failed(this.#name, error)
  }

  stopped(error: unknown): void {
    this.#board.failed(this.#name, error)
  }
}
