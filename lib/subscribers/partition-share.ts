/**
 * How many partitions each node is to hold, by its owner: as evenly as it goes. Who holds more already keeps the one more that
 * some hold, so that nothing moves without need; all nodes that see the same come to the same.
 *
 * @param count how many partitions there are
 * @param held how many partitions each live node holds
 */
export function partitionShares(count: number, held: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const owners = [...held].sort(
    ([one, heldByOne], [other, heldByOther]) => heldByOther - heldByOne || (one < other ? -1 : 1),
  )
  const least = Math.floor(count / owners.length)
  const more = count % owners.length
  return new Map(owners.map(([owner], index) => [owner, least + (index < more ? 1 : 0)]))
}
