/** Whether this is the long run, as `npm run test:faults` asks for it. */
const isLong = process.env['EDICT_FAULTS'] === 'long'

/** How often something is broken: now and then in every run, and many times in the long one. */
export function rounds(ordinary: number, long: number): number {
  return isLong ? long : ordinary
}

/** Milliseconds that a spec may take: for its beginning and end, and for each round. */
export function timeFor(count: number): number {
  return 180_000 + count * 30_000
}
