import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../..', import.meta.url))

export type RunningExample = ChildProcessByStdio<Writable, Readable, Readable>

export interface ExampleResult {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts an example as `npm run` would, without npm's own output. */
export function startExample(main: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): RunningExample {
  return spawn(process.execPath, ['--import', 'tsx', main, ...args], {
    cwd: repository,
    stdio: 'pipe',
    env: { ...process.env, ...env },
  })
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
