import { everyStore } from '../support/every-store.ts'

/** The stores that keep commands. */
export const everyQueueStore = everyStore
