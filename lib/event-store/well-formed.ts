/** ES2024, which every engine that Edict runs on has, and TypeScript's es2023 library does not know yet. */
interface WellFormedText {
  isWellFormed(): boolean
}

/** Whether a text holds no half of a surrogate pair, which UTF-8 has no bytes for. */
export function isWellFormed(text: string): boolean {
  // Every platform has it; the library of types that this is compiled with is older.
  return (text as unknown as WellFormedText).isWellFormed()
}
