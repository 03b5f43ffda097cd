import type { Publication } from './projection-store.ts'

type Said = Pick<Publication, 'tables' | 'fingerprint' | 'replacedBy'>

/** What a publication says, but for its name and its numbers, as a store of Edict's keeps it: JSON. */
export function publicationText({ tables, fingerprint, replacedBy }: Publication): string {
  return JSON.stringify({ tables, fingerprint, replacedBy })
}

/** @throws {SyntaxError} where the text is damaged */
export function publicationSaid(text: string): Said {
  // Nobody but `publicationText` writes it. Once it was the tables alone, each of which is a text.
  const said = JSON.parse(text) as Said | Said['tables']
  const { tables, fingerprint, replacedBy } = isSaid(said) ? said : { tables: said }
  return {
    tables,
    ...(fingerprint !== undefined && { fingerprint }),
    ...(replacedBy !== undefined && { replacedBy }),
  }
}

function isSaid(said: Said | Said['tables']): said is Said {
  return typeof said.tables === 'object'
}

/** Whether one of the views is this publication's. */
export function publishesAny({ tables }: Publication, views: readonly string[]): boolean {
  return views.some((view) => Object.hasOwn(tables, view))
}
