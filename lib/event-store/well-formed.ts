/** ES2024, which every engine that Edict runs on has, and TypeScript's es2023 library does not know yet. */
interface WellFormedText {
  isWellFormed(): boolean
}

/** Whether a text holds no half of a surrogate pair, which UTF-8 has no bytes for. */
export function isWellFormed(text: string): boolean {
  return (text as unknown as WellFormedText).isWellFormed()
}
