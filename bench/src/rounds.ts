import type { Case, Figures, Row } from './case.ts'
import { FULL, SHORT } from './effort.ts'
import { measureInChild } from './measurement.ts'
import { median } from './median.ts'

/** The figures of all contenders, measured one right after the other. */
export type Round = Readonly<Record<string, Figures>>

/** Each round begins with another contender, so that none always runs on the machine that the one before it has warmed. */
const rotated = <Item>(items: readonly Item[], by: number): Item[] => {
  const start = by % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}

export async function measureRounds(
  { name, contenders, prepare }: Case,
  rounds: number,
  short: boolean,
  progress: (text: string) => void,
): Promise<Round[]> {
  const measured: Round[] = []
  if (prepare !== undefined) progress(`${name}: preparing`)
  const prepared = await prepare?.(short ? SHORT : FULL)
  try {
    for (let round = 0; round < rounds; round++) {
      const figures: Record<string, Figures> = {}
      for (const contender of rotated(Object.keys(contenders), round)) {
        progress(`${name}, round ${round + 1} of ${rounds}: ${contender}`)
        figures[contender] = await measureInChild(name, contender, short, prepared?.place ?? '')
      }
      measured.push(figures)
    }
  } finally {
    await prepared?.remove()
  }
  return measured
}

/** The median of a row over the rounds. */
export const valueOf = (row: Row, rounds: readonly Round[]): number =>
  median(rounds.map((round) => row.value((contender, figure) => round[contender]?.[figure] ?? Number.NaN)))
