import { aggregate, command, commandHandler, event, reject, shape } from 'edict'

export const SendInvoice = command('SendInvoice', shape<{ invoiceId: string; customerId: string; amount: number }>())
export const MarkInvoicesPaid = command('MarkInvoicesPaid', shape<{ invoiceId: string; otherInvoiceId: string }>())

export const InvoiceSent = event('InvoiceSent', shape<{ customerId: string; amount: number }>())
export const InvoiceMarkedPaid = event('InvoiceMarkedPaid', shape<{ customerId: string; amount: number }>())
export const InvoiceFinalized = event('InvoiceFinalized', shape<{ customerId: string }>())

interface InvoiceState {
  status: 'new' | 'sent' | 'paid' | 'final'
  customerId: string
  amount: number
}

export const Invoice = aggregate('Invoice', {
  commands: [SendInvoice],
  events: [InvoiceSent, InvoiceMarkedPaid, InvoiceFinalized],
  initialState: (): InvoiceState => ({ status: 'new', customerId: '', amount: 0 }),
  execute: {
    SendInvoice: (invoice, { customerId, amount }) =>
      invoice.status === 'new' ? InvoiceSent({ customerId, amount }) : reject('invoice_already_sent'),
  },
  apply: {
    InvoiceSent: (invoice, { customerId, amount }) => {
      invoice.status = 'sent'
      invoice.customerId = customerId
      invoice.amount = amount
    },
    InvoiceMarkedPaid: (invoice) => {
      invoice.status = 'paid'
    },
    InvoiceFinalized: (invoice) => {
      invoice.status = 'final'
    },
  },
})

/** Two invoices in one transaction: what is stored comes in the order in which they were loaded, and not of the calls. */
export const invoiceHandler = commandHandler(Invoice, {
  commands: [MarkInvoicesPaid],
  multipleAggregates: true,
  handle: {
    async MarkInvoicesPaid({ invoiceId, otherInvoiceId }, { repository }) {
      const first = await repository.get(Invoice, invoiceId)
      const second = await repository.get(Invoice, otherInvoiceId)
      const closed = [first, second].find(({ state }) => state.status !== 'sent')
      if (closed !== undefined) return reject('invoice_not_open', { invoiceId: closed.id })
      for (const invoice of [second, first]) {
        const { customerId, amount } = invoice.state
        invoice.raise(InvoiceMarkedPaid({ customerId, amount }))
      }
      for (const invoice of [second, first]) invoice.raise(InvoiceFinalized({ customerId: invoice.state.customerId }))
      repository.add(first)
      repository.add(second)
      return undefined
    },
  },
})
