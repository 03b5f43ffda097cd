/**
 * For `fc.assert` over real stores: on a machine that is slow beyond measure it stops after fewer cases than it was asked for, instead of
 * failing for want of time. A counterexample that was found by then still fails.
 */
export const withinPatience = { interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false } as const
