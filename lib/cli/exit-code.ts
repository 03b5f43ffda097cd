/** What the process ends with. Stable: scripts compare these. */
export const EXIT = {
  ok: 0,
  /** It was tried, and failed; or `doctor` found something wrong. */
  failure: 1,
  /** The command line, or the application that it names, makes no sense. */
  usage: 2,
  /** What was named is not there. */
  notFound: 3,
  /** It would destroy something, and nobody has confirmed it. */
  notConfirmed: 4,
  /** The server was asked to end, and ended before everything under way had. */
  notDrained: 5,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
