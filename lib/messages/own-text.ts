/** Texts that say nothing of who an object is: `/x/`, `Error: …`, `1,2,3`, `[object Object]`. */
const builtInTexts: ReadonlySet<unknown> = new Set(
  [Object, Array, RegExp, Error, Number, String, Boolean, Symbol, BigInt, Date].map(({ prototype }) => prototype.toString),
)

/** Whether an object can be an identity: one of a class whose author gave it a text. */
export function hasTextOfItsOwn(value: object): boolean {
  // Their content is what they are, and it changes.
  if (Array.isArray(value) || value instanceof Date || ArrayBuffer.isView(value)) return false
  return typeof value.toString === 'function' && !builtInTexts.has(value.toString)
}
