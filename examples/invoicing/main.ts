import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BatchFailedError, readRecordedEvents } from 'edict'
import { sqliteEventStore } from 'edict/sqlite'
import { Customer } from './customers.ts'
import { MarkInvoicesPaid, SendInvoice } from './invoices.ts'
import { invoicing } from './invoicing.ts'

const folder = mkdtempSync(join(tmpdir(), 'edict-invoicing-'))
const print = (line: string) => {
  console.log(line)
}

try {
  const eventStore = sqliteEventStore(join(folder, 'invoices.db'))
  await using app = await invoicing(eventStore, print).start()

  print('# Two invoices, in one transaction')
  await app.executeCommands(
    SendInvoice({ invoiceId: '1', customerId: 'ada', amount: 30 }),
    SendInvoice({ invoiceId: '2', customerId: 'ada', amount: 12 }),
  )

  print('# What would happen, if both were paid?')
  const { commands } = await app.dryRun(MarkInvoicesPaid({ invoiceId: '1', otherInvoiceId: '2' }))
  for (const { command, events } of commands) print(`${command.type}: ${events.map(({ type }) => type).join(', ')}`)

  print('# Both are paid, and the customer is thanked for each')
  const paid = MarkInvoicesPaid({ invoiceId: '1', otherInvoiceId: '2' })
  await app.executeCommands([paid], { consistency: 'strong' })

  print('# One that fails takes all of its batch with it')
  const again = SendInvoice({ invoiceId: '3', customerId: 'bob', amount: 5 })
  await app.executeCommands(again, paid).catch((error: unknown) => {
    if (!(error instanceof BatchFailedError)) throw error
    print(`${error.command} (${error.index}): ${error.failedCode}`)
  })

  print('# What is stored')
  for await (const { streamId, type } of readRecordedEvents(eventStore)) print(`${streamId} ${type}`)
  const { paid: amount, thanked } = await app.aggregateState(Customer, 'ada')
  print(`Ada has paid ${amount}, and was thanked ${thanked} times`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
