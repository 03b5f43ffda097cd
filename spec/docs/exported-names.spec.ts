import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import * as edict from 'edict'
import * as testing from 'edict/testing'
import { exportedNames } from './runner/exported-names.ts'

const exportsOf = (path: string) => exportedNames(fileURLToPath(new URL(`../../lib/${path}`, import.meta.url)))

// Whoever adds a name here adds it to what every user may lean on; whoever takes one away breaks somebody's program.
describe('the public names', () => {
  it('of edict are these', () => {
    expect(exportsOf('index.ts')).toMatchSnapshot()
    expect(exportsOf('index.ts').values).toEqual(Object.keys(edict).sort())
  })

  it('of edict/testing are these', () => {
    expect(exportsOf('testing/index.ts')).toMatchSnapshot()
    expect(exportsOf('testing/index.ts').values).toEqual(Object.keys(testing).sort())
  })
})
