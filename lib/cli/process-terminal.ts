import { once } from 'node:events'
import process from 'node:process'
import { createInterface } from 'node:readline/promises'
import type { Terminal } from './terminal.ts'

/** That of this process. */
export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', endOfReader)
  return {
    env: process.env,
    folder: process.cwd(),
    write: async (text) => {
      if (!process.stdout.write(text)) await once(process.stdout, 'drain')
    },
    warn: (text) => void process.stderr.write(text),
    ask: process.stdin.isTTY && process.stderr.isTTY ? ask : undefined,
  }
}

/** On the standard error, so that the answer of the command alone is on the standard output. */
async function ask(question: string): Promise<string> {
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await asking.question(question)
  } catch (thrown) {
    // Whoever ends the input, or interrupts, has not said yes.
    if (thrown instanceof Error && thrown.name === 'AbortError') return ''
    throw thrown
  } finally {
    asking.close()
  }
}

/** Whoever reads the output has had enough, as `head` does. */
function endOfReader(error: Error & { readonly code?: unknown }): void {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
}

/** Ends once all that was written has left the process. */
export async function exitAfterOutput(code: number): Promise<never> {
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))))
  process.exit(code)
}
