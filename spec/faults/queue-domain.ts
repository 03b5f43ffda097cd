import { aggregate, command, event, router, shape } from 'edict'

/** One of many steps of a walk, that are to be gone once and in order. */
export const Step = command('Step', shape<{ walk: string; number: number }>())
export const Stepped = event('Stepped', shape<{ number: number }>())

export const Walk = aggregate('Walk', {
  commands: [Step],
  events: [Stepped],
  initialState: () => ({ steps: 0 }),
  execute: { Step: (_walk, { number }) => Stepped({ number }) },
  apply: {
    Stepped: (walk) => {
      walk.steps++
    },
  },
})

export const stepsRouter = router('walks', (r) =>
  r.identify(Walk, { by: 'walk', prefix: 'walk-' }).dispatch(Step, { to: Walk }),
)
