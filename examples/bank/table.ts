import stringWidth from 'string-width'

export interface Column<Row> {
  readonly title: string
  readonly align: 'left' | 'right'
  readonly cell: (row: Row) => string
}

/**
 * A table, line by line: it is never held as a whole, so it may be as long as its rows. Measures what a terminal shows, not
 * what a string counts: 山田 is four columns wide.
 */
export function* table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Generator<string, void> {
  const widths = columns.map(({ title, cell }) =>
    rows.reduce((width, row) => Math.max(width, stringWidth(cell(row))), stringWidth(title)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((text, index) => {
        const padding = ' '.repeat((widths[index] ?? 0) - stringWidth(text))
        return columns[index]?.align === 'right' ? padding + text : text + padding
      })
      .join('  ')
      .trimEnd()

  yield line(columns.map(({ title }) => title))
  yield line(widths.map((width) => '─'.repeat(width)))
  for (const row of rows) yield line(columns.map(({ cell }) => cell(row)))
}
