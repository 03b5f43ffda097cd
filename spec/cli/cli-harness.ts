import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { runCli } from '../../lib/cli/run-cli.ts'

/** What the specs look at of an event. */
export interface ShownEvent {
  readonly position: number
  readonly type: string
  readonly data: unknown
  readonly commandId: string
  readonly correlationId: string
}

export interface CliResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** The standard output, as JSON. */
  json<Shown = Readonly<Record<string, unknown>>>(): Shown
  /** Its lines, as JSON. */
  lines<Shown = ShownEvent>(): Shown[]
}

export const shopFile = fileURLToPath(new URL('shop-app.ts', import.meta.url))

export interface CliOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  /** What is answered where it asks; nobody is there to ask where it is left out. */
  readonly answer?: string
}

/** Runs one command line in this process, on what a user's module exports. */
export async function edict(words: readonly string[], { env, answer }: CliOptions = {}): Promise<CliResult> {
  const written: string[] = []
  const warned: string[] = []
  const exitCode = await runCli(words, {
    env: env ?? { EDICT_APP: shopFile },
    folder: process.cwd(),
    write: async (text) => void written.push(text),
    warn: (text) => void warned.push(text),
    ask:
      answer === undefined
        ? undefined
        : async (question) => {
            warned.push(question)
            return answer
          },
  })
  const stdout = written.join('')
  return {
    ...{ exitCode, stdout, stderr: warned.join('') },
    json: <Shown>() => JSON.parse(stdout) as Shown,
    lines: <Shown>() =>
      stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Shown),
  }
}
