/**
 * When the handlers of an event do their work: `'sync'`, before the command that led to it is answered; `'async'`, on their own, when
 * they come to it.
 */
export type EventProcessing = 'sync' | 'async'
