import { aggregate, command, event, router, shape } from 'edict'

export const RegisterCustomer = command('RegisterCustomer', shape<{ id: string; name: string; email: string }>())
export const PlaceOrder = command('PlaceOrder', shape<{ id: string; total: number }>())

export const CustomerRegistered = event('CustomerRegistered', shape<{ name: string; email: string }>())
export const OrderPlaced = event('OrderPlaced', shape<{ total: number }>())

export const Customer = aggregate('Customer', {
  commands: [RegisterCustomer, PlaceOrder],
  events: [CustomerRegistered, OrderPlaced],
  initialState: () => ({ name: '', email: '', spent: 0 }),
  execute: {
    RegisterCustomer: (_customer, { name, email }) => CustomerRegistered({ name, email }),
    PlaceOrder: (_customer, { total }) => OrderPlaced({ total }),
  },
  apply: {
    CustomerRegistered: (customer, { name, email }) => {
      customer.name = name
      customer.email = email
    },
    OrderPlaced: (customer, { total }) => {
      customer.spent += total
    },
  },
})

export const customers = router('customers', (r) =>
  r.identify(Customer, { by: 'id', prefix: 'customer-' }).dispatch([RegisterCustomer, PlaceOrder], { to: Customer }),
)
