import { aggregate, command, event, shape } from 'edict'

export const RecordPayment = command('RecordPayment', shape<{ customerId: string; amount: number }>())
export const Thank = command('Thank', shape<{ customerId: string }>())

export const PaymentRecorded = event('PaymentRecorded', shape<{ amount: number }>())
export const CustomerThanked = event('CustomerThanked', shape<object>())

export const Customer = aggregate('Customer', {
  commands: [RecordPayment, Thank],
  events: [PaymentRecorded, CustomerThanked],
  initialState: () => ({ paid: 0, thanked: 0 }),
  execute: {
    RecordPayment: (_customer, { amount }) => PaymentRecorded({ amount }),
    Thank: () => CustomerThanked({}),
  },
  apply: {
    PaymentRecorded: (customer, { amount }) => {
      customer.paid += amount
    },
    CustomerThanked: (customer) => {
      customer.thanked++
    },
  },
})
