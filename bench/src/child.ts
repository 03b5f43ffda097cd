// One measurement, in a process of its own: node --expose-gc child.js CASE CONTENDER full|short PLACE
import { cases } from './cases/index.ts'
import { FULL, SHORT } from './effort.ts'

const [caseName, contender = '', effort, place = ''] = process.argv.slice(2)
const measure = cases.find(({ name }) => name === caseName)?.contenders[contender]
if (measure === undefined) throw new Error(`there is no contender ${contender} in ${caseName}`)
const figures = await measure(effort === 'short' ? SHORT : FULL, place)
process.send?.(figures)
process.disconnect?.()
