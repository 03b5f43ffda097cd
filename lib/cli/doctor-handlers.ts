import type { ApplicationInside } from '../application/inside.ts'
import { failed, ok, warning, type Finding } from './finding.ts'
import { handlerPlaces, type HandlerPlace } from './handler-places.ts'
import { duration } from './table.ts'

/** Whether somebody runs the handlers of an application, and keeps up; and what they have set aside. */
export async function checkHandlers(inside: ApplicationInside, maxLag: number): Promise<readonly Finding[]> {
  const places = await handlerPlaces(inside, inside.makeRunners())
  const owners = new Set(places.flatMap((place) => place.owners))
  return [
    ok('leases', owners.size === 0 ? 'no process runs handlers' : `${owners.size} process(es) run handlers`),
    ...places.map((place) => checkPlace(place, maxLag)),
    ...places
      .filter(({ parked }) => parked > 0)
      .map(({ name, parked }) => warning('parked', `${name} has parked ${parked} event(s): edict parked list ${name}`)),
  ]
}

function checkPlace({ name, state, position, lagEvents, lagSeconds }: HandlerPlace, maxLag: number): Finding {
  const check = 'handler'
  if (lagEvents === 0) {
    if (state === 'owned') return ok(check, `${name} has handled everything, up to ${position}`)
    return ok(check, `${name} has nothing to handle, and no process runs it`)
  }
  const behind = `${name} is ${lagEvents} event(s), ${duration(lagSeconds * 1_000)}, behind`
  if (state !== 'owned') return failed(check, `${behind}, and no process runs it`)
  return lagSeconds * 1_000 > maxLag ? failed(check, behind) : ok(check, behind)
}
