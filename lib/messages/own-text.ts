/** Texts that say nothing of who an object is: `/x/`, `Error: …`, `1,2,3`, `[object Object]`. */
const builtInTexts: ReadonlySet<unknown> = new Set(
  [Object, Array, RegExp, Error, Number, String, Boolean, Symbol, BigInt, Date].map(({ prototype }) =>
    textOf(prototype),
  ),
)

/** Whether an object can be an identity: one of a class whose author gave it a text. */
export function hasTextOfItsOwn(value: object): boolean {
  // Their content is what they are, and it changes.
  if (Array.isArray(value) || value instanceof Date) return false
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return false
  const toText = textOf(value)
  return typeof toText === 'function' && !builtInTexts.has(toText)
}

function textOf(value: object): unknown {
  return (value as { readonly toString?: unknown }).toString
}
