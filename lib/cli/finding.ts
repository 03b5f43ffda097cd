import process from 'node:process'

/** One thing that `doctor` has looked at. */
export interface Finding {
  /** Stable: scripts compare it. */
  readonly check: string
  /** `failed`: it does not work as it is. `warning`: it works, and somebody should know. */
  readonly status: 'ok' | 'warning' | 'failed'
  readonly says: string
}

export const ok = (check: string, says: string): Finding => ({ check, status: 'ok', says })
export const warning = (check: string, says: string): Finding => ({ check, status: 'warning', says })
export const failed = (check: string, says: string): Finding => ({ check, status: 'failed', says })

/** What `engines` of the package says. */
const OLDEST_NODE = [20, 19] as const

export function nodeCheck(version: string = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldest, oldestMinor] = OLDEST_NODE
  const isNewEnough = major > oldest || (major === oldest && minor >= oldestMinor)
  return isNewEnough
    ? ok('node', `Node ${version}`)
    : failed('node', `Node ${version} is too old: Edict needs ${OLDEST_NODE.join('.')} or newer`)
}
