import { application, router, type AroundMiddleware, type EventStore } from 'edict'
import { Customer, RecordPayment, Thank } from './customers.ts'
import { Invoice, invoiceHandler, MarkInvoicesPaid, SendInvoice } from './invoices.ts'
import { bookkeeping, courtesy } from './workflows.ts'

/** Sequent's LoggingCommandMiddleware. */
export function logging(print: (line: string) => void): AroundMiddleware {
  return async ({ command }, next) => {
    print(`Before executing command ${command.type}`)
    try {
      await next()
    } catch (error) {
      print(`Error executing command ${command.type}`)
      throw error
    } finally {
      print(`After executing command ${command.type}`)
    }
  }
}

export function invoicing(eventStore: EventStore, print: (line: string) => void) {
  const invoices = router('invoicing', (r) =>
    r
      .middleware(logging(print))
      .identify(Invoice, { by: 'invoiceId', prefix: 'invoice-' })
      .identify(Customer, { by: 'customerId', prefix: 'customer-' })
      .dispatch(SendInvoice, { to: Invoice })
      .dispatch(MarkInvoicesPaid, { to: invoiceHandler })
      .dispatch([RecordPayment, Thank], { to: Customer }),
  )
  return application({ name: 'invoicing', router: invoices, eventStore, workflows: [bookkeeping, courtesy] })
}
