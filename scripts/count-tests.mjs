// Prints `PASSED FAILED` for a jest report. A run without a report, without a test, or that ended badly though no
// test failed, counts as one failure more.
import { existsSync, readFileSync } from 'node:fs'

const [path, status] = process.argv.slice(2)

const count = () => {
  if (!existsSync(path)) return [0, 1]
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(path, 'utf8'))
  const failed = numFailedTests + numRuntimeErrorTestSuites
  const brokeOff = failed === 0 && (Number(status) !== 0 || numPassedTests === 0)
  return [numPassedTests, failed + (brokeOff ? 1 : 0)]
}

console.log(count().join(' '))
