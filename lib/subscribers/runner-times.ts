// Milliseconds that all runners keep to.

/** Dispatches on other nodes see the progress of a strong handler in its checkpoint: it is written after so many milliseconds. */
export const PROMPT_SAVE_MS = 5

/** So long an event in hand, or a transaction, has to end once its runner is told to stop. */
export const STOP_TIMEOUT_MS = 5_000
