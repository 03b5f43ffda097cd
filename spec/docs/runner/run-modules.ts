// Runs the modules of pages one after the other, in one process of their own, and writes what came of them to a file:
// node --import tsx run-modules.ts RESULT MODULE...
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { broken, checkedClaims } from './expectations.ts'

const PATIENCE_MS = 120_000

export interface ModuleResult {
  readonly path: string
  readonly claims: number
  readonly broken: readonly { readonly where: string; readonly message: string }[]
  /** What the module threw, with its stack. */
  readonly thrown?: string
}

const [result = '', ...paths] = process.argv.slice(2)
const results: ModuleResult[] = []
const unhandled: string[] = []
process.on('unhandledRejection', (reason) => unhandled.push(textOf(reason)))
process.on('uncaughtException', (error) => unhandled.push(textOf(error)))
// What pages print is none of our reader's business.
for (const method of ['log', 'info', 'warn', 'error'] as const) console[method] = () => undefined

for (const path of paths) {
  const claimsBefore = checkedClaims()
  broken.length = 0
  unhandled.length = 0
  let thrown: string | undefined
  try {
    await Promise.race([import(pathToFileURL(path).href), lateness()])
  } catch (error) {
    thrown = textOf(error)
  }
  // A promise that nobody waits for gets its turn to fail.
  await new Promise((resolve) => setImmediate(resolve))
  thrown ??= unhandled[0]
  results.push({
    path,
    claims: checkedClaims() - claimsBefore,
    broken: [...broken],
    ...(thrown !== undefined && { thrown }),
  })
}
writeFileSync(result, JSON.stringify(results))
process.exit(0)

async function lateness(): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref())
  throw new Error(`the page did not end within ${PATIENCE_MS} ms`)
}

function textOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  return thrown.stack ?? thrown.message
}
