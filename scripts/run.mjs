import { spawnSync } from 'node:child_process'

/** Runs a command with its output shown, and throws unless it exits 0. */
export const run = (command, args, options = {}) => {
  const { status, signal, error } = spawnSync(command, args, { stdio: 'inherit', ...options })
  if (error) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${signal ?? status}`)
}

/** Runs a command and answers what it printed on stdout. */
export const capture = (command, args, options = {}) => {
  const { status, signal, error, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  })
  if (error) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${signal ?? status}`)
  return stdout
}
