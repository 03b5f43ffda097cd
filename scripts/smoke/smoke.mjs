import { aggregate, application, command, event, inMemoryEventStore, router, shape } from 'edict'

/** Runs one command through the package, with nothing but web globals; throws on a wrong answer. */
export const smoke = async () => {
  const Increase = command('Increase', shape())
  const Increased = event('Increased', shape())

  const Counter = aggregate('Counter', {
    commands: [Increase],
    events: [Increased],
    initialState: () => ({ total: 0 }),
    execute: { Increase: (_counter, increase) => Increased(increase) },
    apply: {
      Increased: (counter, { by }) => {
        counter.total += by
      },
    },
  })

  const counters = router('counters', (builder) =>
    builder.identify(Counter, { by: 'counterId', prefix: 'counter-' }).dispatch(Increase, { to: Counter }),
  )

  const counting = application({ name: 'counting', router: counters, eventStore: inMemoryEventStore() })
  await counting.start()
  const { streamId, aggregateVersion, aggregateState } = await counters.dispatch(
    Increase({ counterId: 'smoke', by: 41 }),
    { consistency: 'strong' },
  )
  await counting.stop()

  const answer = `${streamId} is at version ${aggregateVersion} with total ${aggregateState.total}`
  if (answer !== 'counter-smoke is at version 1 with total 41') throw new Error(`wrong answer: ${answer}`)
  return answer
}
