import type { NewsWireInMemory } from '../domain/news-wire.ts'
import type { Publishing } from '../publishing.ts'

/** What a chapter of the story is told with. */
export interface Stage {
  readonly app: Publishing
  readonly newsWire: NewsWireInMemory
  readonly frontPage: () => readonly string[]
  readonly tell: (line: string) => void
}
