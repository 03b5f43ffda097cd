import { describe, expect, it } from '@jest/globals'
import { runExample } from './run-example.ts'

describe('the invoicing example', () => {
  it('runs', async () => {
    const { status, stdout, stderr } = await runExample('examples/invoicing/main.ts', [])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const stored = stdout.slice(stdout.indexOf('# What is stored')).split('\n').slice(1)
    expect(stored).toEqual([
      ...['invoice-1 InvoiceSent', 'invoice-2 InvoiceSent'],
      ...['invoice-1 InvoiceMarkedPaid', 'invoice-1 InvoiceFinalized'],
      ...['invoice-2 InvoiceMarkedPaid', 'invoice-2 InvoiceFinalized'],
      ...['customer-ada PaymentRecorded', 'customer-ada PaymentRecorded'],
      ...['customer-ada CustomerThanked', 'customer-ada CustomerThanked'],
      'Ada has paid 42, and was thanked 2 times',
      '',
    ])
    expect(stdout).toContain('MarkInvoicesPaid (1): invoice_not_open')
  })
})
