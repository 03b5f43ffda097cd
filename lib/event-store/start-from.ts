/**
 * Where a subscription begins that has no checkpoint yet: with the first event, with what comes next, or with the event at a
 * position, inclusive.
 */
export type StartFrom = 'origin' | 'current' | number
