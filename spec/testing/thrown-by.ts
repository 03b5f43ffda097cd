/** What a call throws, or rejects with; undefined where it does not. */
export async function thrownBy(call: () => unknown): Promise<Error | undefined> {
  try {
    await call()
    return undefined
  } catch (error) {
    return error as Error
  }
}
