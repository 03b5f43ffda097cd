/** Where a command line comes from and where its answers go: the process, or a spec. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Against which paths are resolved. */
  readonly folder: string
  /** To the standard output; resolves when there is room for more. */
  write(text: string): Promise<void>
  /** To the standard error. */
  warn(text: string): void
  /** Undefined where nobody can answer. */
  readonly ask: ((question: string) => Promise<string>) | undefined
}
