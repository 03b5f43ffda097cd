import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { telemetryNames } from '../../lib/telemetry/telemetry-events.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const page = read('docs/reference/telemetry.md')

describe('the page of telemetry', () => {
  it('has every event that there is, once, and no other', () => {
    const rows = [...page.matchAll(/^\| `([a-z]+:[a-z]+)` \|/gm)].map(([, name]) => name)
    expect(rows.sort()).toEqual([...telemetryNames].sort())
  })

  it('has every attribute of a span and every instrument, and no other', () => {
    const source = ['span-of', 'open-telemetry', 'observe-metrics']
      .map((name) => read(`lib/opentelemetry/${name}.ts`))
      .join('\n')
    const attributes = [...source.matchAll(/'(edict\.[a-z_.]+)'/g)].map(([, name = '']) => name)
    const instruments = [...source.matchAll(/(?:gauge|counter)\('([a-z_.]+)'/g)].map(([, name = '']) => `edict.${name}`)
    const named = [...page.matchAll(/`(edict\.[a-z_.]+)`/g)].map(([, name = '']) => name)
    expect([...new Set(named)].sort()).toEqual([...new Set([...attributes, ...instruments])].sort())
  })
})
