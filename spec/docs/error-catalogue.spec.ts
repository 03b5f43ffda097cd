import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import * as errors from '../../lib/errors.ts'

interface Row {
  readonly code: string
  readonly className: string
}

const page = readFileSync(new URL('../../docs/reference/errors.md', import.meta.url), 'utf8')

/** The rows of the page's tables that begin with a code, and name its class. */
const rows: readonly Row[] = [...page.matchAll(/^\| `(\w+)` \| `(\w+)` \|/gm)].map(([, code = '', className = '']) => ({
  code,
  className,
}))

const classes = Object.entries(errors).filter(
  ([, value]) => typeof value === 'function' && value.prototype instanceof errors.EdictError,
)

describe('the page of errors', () => {
  it('has every code of the catalogue, once', () => {
    expect(rows.map(({ code }) => code).sort()).toEqual([...errors.frameworkCodes].sort())
  })

  it('names every class of the catalogue, and no other', () => {
    const named = new Set([...page.matchAll(/`(\w+Error)`/g)].map(([, name]) => name))
    expect([...named].sort()).toEqual(['EdictError', ...classes.map(([name]) => name)].sort())
  })

  it('gives each code the class that has it', () => {
    const source = readFileSync(new URL('../../lib/errors.ts', import.meta.url), 'utf8')
    const ofClass = [...source.matchAll(/class (\w+)[^{]* extends EdictError<'(\w+)'>/g)]
    const known = new Map(ofClass.map(([, className = '', code = '']) => [code, className]))
    for (const { code, className } of rows)
      expect([code, className]).toEqual([code, known.get(code) ?? 'RouterDefinitionError'])
  })
})
