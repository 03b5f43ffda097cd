import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { jest } from '@jest/globals'

/** Milliseconds for each spec in a file that starts examples: processes that take a second here may take half a minute elsewhere. */
export const TIME_FOR_EXAMPLES = 240_000
jest.setTimeout(TIME_FOR_EXAMPLES)

const repository = fileURLToPath(new URL('../..', import.meta.url))

const living = new Set<RunningExample>()
// A run that is ended in the middle leaves no process behind.
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

export type RunningExample = ChildProcessByStdio<Writable, Readable, Readable>

export interface ExampleResult {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts an example as `npm run` would, without npm's own output. */
export function startExample(main: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningExample {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], {
    cwd: repository,
    stdio: 'pipe',
    env: { ...process.env, ...env },
  })
  living.add(child)
  child.once('close', () => living.delete(child))
  return child
}

export async function exitOf(child: RunningExample): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
}

/** Runs an example to its end. */
export async function runExample(
  main: string,
  args: readonly string[],
  input: string | Buffer = '',
  env: NodeJS.ProcessEnv = {},
): Promise<ExampleResult> {
  const child = startExample(main, args, env)
  // An example that does not read its input may end before it was given.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [status, stdout, stderr] = await Promise.all([exitOf(child), text(child.stdout), text(child.stderr)])
  return { status, stdout, stderr }
}
