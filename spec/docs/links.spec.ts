import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(repository, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path)),
]

/** What a page says, without its snippets. */
function proseOf(path: string): string {
  return readFileSync(path, 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '')
}

/** The anchors that a page's headings make, as GitHub makes them. */
function anchorsOf(path: string): string[] {
  const headings = [...proseOf(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  )
}

describe('the links of the pages', () => {
  it.each(pages)('of %s lead somewhere', (page) => {
    const path = join(repository, page)
    const broken = [...proseOf(path).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => {
        const [file = '', anchor] = target.split('#')
        const found = file === '' ? path : join(dirname(path), file)
        if (!existsSync(found)) return true
        return anchor !== undefined && !anchorsOf(found).includes(anchor)
      })
    expect(broken).toEqual([])
  })

  it('reach every page from the index', () => {
    const index = proseOf(join(repository, 'docs/README.md'))
    const unlinked = pages.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md')
    expect(unlinked.filter((page) => !index.includes(`](${page.slice('docs/'.length)})`))).toEqual([])
  })
})
