/**
 * Sends so many commands, a number of them in flight at any time, and gives how long each took: milliseconds of the wall's clock.
 * What is done with an answer, before the next command takes its place, is no part of that.
 */
export async function inFlight<Answer>(
  width: number,
  commands: number,
  send: (index: number) => Promise<Answer>,
  answered?: (answer: Answer) => Promise<void>,
): Promise<Float64Array> {
  const times = new Float64Array(commands)
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < commands) {
      const index = next++
      const begun = performance.now()
      const answer = await send(index)
      times[index] = performance.now() - begun
      if (answered !== undefined) await answered(answer)
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, commands) }, lane))
  return times
}
