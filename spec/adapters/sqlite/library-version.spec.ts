import { describe, expect, it } from '@jest/globals'
import { checkLibraryVersion } from '../../../lib/adapters/sqlite/library-version.ts'

describe('the version of the SQLite library', () => {
  it.each(['3.51.3', '3.51.4', '3.52.0', '3.53.2', '3.100.0', '4.0.0'])('%s is taken', (version) => {
    expect(() => {
      checkLibraryVersion(version)
    }).not.toThrow()
  })

  it.each(['3.51.2', '3.50.9', '3.9.100', '2.99.99', 'none', ''])('"%s" is refused', (version) => {
    expect(() => {
      checkLibraryVersion(version)
    }).toThrow(expect.objectContaining({ code: 'unsupported_version' }))
  })
})
