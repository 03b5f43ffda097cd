import { aggregate, command, event, reject, router, shape, type AroundMiddleware, type Middleware } from 'edict'

// Entries in ledgers: each command is one entry, so that what is stored tells what ran.

export const Enter = command('Enter', shape<{ ledger: string; text: string }>())
export const Refuse = command('Refuse', shape<{ ledger: string }>())
export const Explode = command('Explode', shape<{ ledger: string }>())
export const Look = command('Look', shape<{ ledger: string }>())
export const Entered = event('Entered', shape<{ text: string; after: number }>())

export const Ledger = aggregate('Ledger', {
  commands: [Enter, Refuse, Explode, Look],
  events: [Entered],
  initialState: () => ({ texts: [] as string[] }),
  execute: {
    Enter: (ledger, { text }) => Entered({ text, after: ledger.texts.length }),
    Refuse: () => reject('refused', { why: 'because' }),
    Explode: () => {
      throw new Error('boom')
    },
    Look: () => undefined,
  },
  apply: {
    Entered: (ledger, { text }) => void ledger.texts.push(text),
  },
})

export const ledgerRouter = (...middleware: readonly Middleware[]) =>
  router('ledgers', (r) =>
    r
      .middleware(...middleware)
      .identify(Ledger, { by: 'ledger', prefix: 'ledger-' })
      .dispatch([Enter, Refuse, Explode, Look], { to: Ledger }),
  )

/** Sequent's LoggingCommandMiddleware. */
export function loggingMiddleware(lines: string[], name = ''): AroundMiddleware {
  return async ({ command: { type, data } }, next) => {
    const what = `${name}${type} ${(data as { text?: string }).text ?? ''}`.trim()
    lines.push(`Before ${what}`)
    try {
      await next()
    } catch (error) {
      lines.push(`Error ${what}`)
      throw error
    } finally {
      lines.push(`After ${what}`)
    }
  }
}
