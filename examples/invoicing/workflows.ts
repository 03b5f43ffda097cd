import { workflow } from 'edict'
import { RecordPayment, Thank } from './customers.ts'
import { InvoiceFinalized, InvoiceMarkedPaid } from './invoices.ts'

/** Inside the transaction: an invoice is never paid without its customer's account saying so. */
export const bookkeeping = workflow('bookkeeping', {
  events: [InvoiceMarkedPaid],
  handle: {
    InvoiceMarkedPaid: ({ customerId, amount }, _recorded, { executeCommands }) => {
      executeCommands(RecordPayment({ customerId, amount }))
    },
  },
})

/** After the commit: nobody takes a payment back because the thanks failed. */
export const courtesy = workflow('courtesy', {
  events: [InvoiceFinalized],
  background: true,
  consistency: 'strong',
  handle: {
    InvoiceFinalized: ({ customerId }, _recorded, { executeCommands }) => {
      executeCommands(Thank({ customerId }))
    },
  },
})
