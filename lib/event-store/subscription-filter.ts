import type { StoredEvent } from './stored-event.ts'

/** Which events a subscription is about; all of them where nothing is said. What is said must hold together. */
export interface SubscriptionFilter {
  /** Types as they are read today, after upcasting. */
  readonly types?: ReadonlySet<string>
  readonly category?: string
  readonly streamId?: string
  readonly tenant?: string
}

/** Whether a stored event is of the category and the tenant that are asked for. */
export function isOf({ category, tenant }: SubscriptionFilter, stored: StoredEvent): boolean {
  return (category === undefined || stored.category === category) && (tenant === undefined || stored.tenant === tenant)
}
