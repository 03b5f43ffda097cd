import { aggregate, application, command, event, inMemoryEventStore, router, shape } from 'edict'
import * as testing from 'edict/testing'

const OpenAccount = command('OpenAccount', shape<{ accountNumber: string }>())
const AccountOpened = event('AccountOpened', shape<{ accountNumber: string }>())

const Account = aggregate('Account', {
  commands: [OpenAccount],
  events: [AccountOpened],
  initialState: () => ({ open: false }),
  execute: { OpenAccount: (_account, opening) => AccountOpened(opening) },
  apply: {
    AccountOpened: (account) => {
      account.open = true
    },
  },
})

const accounts = router('accounts', (builder) =>
  builder.identify(Account, { by: 'accountNumber' }).dispatch(OpenAccount, { to: Account }),
)

export const accounting = application({ name: 'accounting', router: accounts, eventStore: inMemoryEventStore() })
export const published: object = testing
