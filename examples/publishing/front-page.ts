import Database from 'better-sqlite3'
import { projection } from 'edict/sqlite'
import { ArticlePublished } from './domain/articles.ts'

/** The read model: its rows and its place are written in one transaction of the events' own file, so each event counts once. */
export const frontPage = projection('front-page', {
  events: [ArticlePublished],
  tables: { front_page: 'article_id TEXT PRIMARY KEY, title TEXT NOT NULL, position INTEGER NOT NULL' },
  project: {
    ArticlePublished: ({ articleId, title }, { position }, tx, { tables }) => {
      tx.prepare(`INSERT INTO ${tables.front_page} VALUES (?, ?, ?)`).run(articleId, title, position)
    },
  },
})

/** What readers see: the newest title first. */
export function readFrontPage(path: string): readonly string[] {
  const database = new Database(path, { readonly: true })
  try {
    return database.prepare<[], string>('SELECT title FROM front_page ORDER BY position DESC').pluck().all()
  } finally {
    database.close()
  }
}
