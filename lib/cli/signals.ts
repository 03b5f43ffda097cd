import process from 'node:process'
import type { Supervisor } from './worker-channel.ts'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

export interface EndSignal {
  /** Resolves when it is asked to end. */
  readonly asked: Promise<void>
  /** Who asked first. */
  reason(): string
}

/** Whoever asks again while it ends is not heard: what drains has its own patience, and SIGKILL needs none. */
export function endSignal(parent?: Supervisor): EndSignal {
  let reason = ''
  const asked = new Promise<void>((resolve) => {
    const ask = (by: string) => {
      if (reason === '') reason = by
      resolve()
    }
    for (const signal of SIGNALS) process.on(signal, () => ask(signal))
    parent?.listen(({ kind }) => {
      if (kind === 'drain') ask('supervisor')
    })
  })
  return { asked, reason: () => reason }
}
