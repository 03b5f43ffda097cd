import { freeze } from 'immer'

/**
 * Freezes a state at any depth. What is frozen already is taken to be so all the way down, which it is where it came from a
 * state or an event before: the cost is that of what changed.
 */
export function frozenState<State>(state: State): State {
  if (state === null || typeof state !== 'object' || Object.isFrozen(state)) return state
  // Most states are flat and plain; for those this is a tenth of the general way's cost.
  if (Object.getPrototypeOf(state) === Object.prototype) {
    let flat = true
    for (const key in state) {
      const value = state[key]
      if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
        flat = false
        break
      }
    }
    if (flat) return Object.freeze(state)
  }
  return freeze(state, true)
}
