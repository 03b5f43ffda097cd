import { describe, expect, it } from '@jest/globals'
import { loadingHint } from '../../lib/cli/load-application.ts'

describe('an application that cannot be loaded', () => {
  it('is told what to do where its module is taken for CommonJS, or has what Node cannot strip', () => {
    expect(loadingHint(new SyntaxError('Cannot use import statement outside a module'))).toContain('"type": "module"')
    expect(loadingHint(new SyntaxError("Unexpected token 'export'"))).toContain('"type": "module"')
    const enums = Object.assign(new Error('no enums'), { code: 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' })
    expect(loadingHint(enums)).toContain('--import tsx')
    expect(loadingHint(new Error('no database'))).toBe('')
  })
})
