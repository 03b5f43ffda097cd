/** A system outside, which may be down. What it gets twice under one key it sends once. */
export interface NewsWire {
  send(title: string, options: { readonly key: string }): Promise<string>
}

/** Stands in for it, and can be cut. */
export class NewsWireInMemory implements NewsWire {
  isCut = false
  readonly #sent = new Map<string, string>()

  async send(title: string, { key }: { readonly key: string }): Promise<string> {
    if (this.isCut) throw new Error('the wire is down')
    if (!this.#sent.has(key)) this.#sent.set(key, title)
    return `wire-${[...this.#sent.keys()].indexOf(key) + 1}`
  }

  get titles(): readonly string[] {
    return [...this.#sent.values()]
  }
}
