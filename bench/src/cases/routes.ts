import type { Case } from '../case.ts'
import { RoutedBank } from '../contenders/routed-bank.ts'
import { depositsPerSecond } from './deposits.ts'

const FEW = '5 routes'
const MANY = '500 routes'

const at =
  (routes: number): Case['contenders'][string] =>
  (effort) =>
    depositsPerSecond(effort, () => RoutedBank.open(routes), 1_000, effort.short ? 20 : 50)

export const routesCase: Case = {
  name: 'routes',
  title: 'dispatch cost by the number of routes',
  notes: ["1,000 live aggregates both times; every route gets its turn, five to an aggregate's type."],
  contenders: { [FEW]: at(5), [MANY]: at(500) },
  rows: [
    { label: FEW, unit: 'microseconds', value: (read) => read(FEW, 'microseconds') },
    { label: MANY, unit: 'microseconds', value: (read) => read(MANY, 'microseconds') },
    {
      label: 'cost at 500 routes ÷ at 5',
      unit: 'ratio',
      value: (read) => read(MANY, 'microseconds') / read(FEW, 'microseconds'),
      target: { atMost: 1.25 },
    },
  ],
}
