import { aggregate, command, event, reject } from 'edict'
import { z } from 'zod'

const authorId = z.string().min(1)

export const RegisterAuthor = command('RegisterAuthor', z.object({ authorId, name: z.string().min(1) }))
export const CreditAuthor = command('CreditAuthor', z.object({ authorId, articleId: z.string() }))

export const AuthorRegistered = event('AuthorRegistered', z.object({ name: z.string() }))
export const AuthorCredited = event('AuthorCredited', z.object({ articleId: z.string() }))

export const Author = aggregate('Author', {
  commands: [RegisterAuthor, CreditAuthor],
  events: [AuthorRegistered, AuthorCredited],

  initialState: () => ({ name: '', published: 0 }),

  execute: {
    RegisterAuthor: ({ name: known }, { name }) =>
      known === '' ? AuthorRegistered({ name }) : reject('already_registered'),
    CreditAuthor: (_author, { articleId }) => AuthorCredited({ articleId }),
  },

  apply: {
    AuthorRegistered: (author, { name }) => {
      author.name = name
    },
    AuthorCredited: (author) => {
      author.published++
    },
  },
})
