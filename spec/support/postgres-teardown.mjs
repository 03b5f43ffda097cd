/** Stops the server of the run, if one was started. */
export default async function tearDown() {
  await globalThis.edictPostgres?.close()
}
