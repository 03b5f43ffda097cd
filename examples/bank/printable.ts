const LONGEST = 300

/**
 * Text from outside, as it may be shown on a terminal: characters that would move the cursor, ring the bell or turn the
 * writing direction are escaped, and endless text is cut.
 */
export function printable(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  return short.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, escaped)
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
