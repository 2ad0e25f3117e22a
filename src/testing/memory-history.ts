import type { StoredItem } from '../configuration/item.ts'
import type { ConfigurationHistory } from '../journal/port.ts'
import type { HeldJournal } from './held-journal.ts'

/** The history of configuration items, read from a journal in memory. */
export function memoryHistory(journal: HeldJournal): ConfigurationHistory {
  const items = () =>
    journal.others
      .filter(({ kind }) => kind === 'item')
      .map(({ record }) => ({ record, item: JSON.parse(record) as StoredItem }))
  const isOf = (item: StoredItem, account: string, region: string) =>
    item.accountId === account && [region, 'global'].includes(item.awsRegion)
  const newestOf = (account: string, region: string) => {
    const newest = new Map<string, { readonly record: string; readonly item: StoredItem }>()
    for (const each of items()) {
      if (!isOf(each.item, account, region)) continue
      newest.set(`${each.item.resourceType} ${each.item.resourceId}`, each)
    }
    return [...newest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)
  }
  const isThere = ({ item }: { readonly item: StoredItem }) =>
    item.configurationItemStatus !== 'ResourceDeleted'
  return {
    async items({ account, region, type, resource, from, to, oldestFirst, limit, after }) {
      const found = items().filter(({ item }) => {
        const time = Date.parse(item.configurationItemCaptureTime)
        const isResource = item.resourceType === type && item.resourceId === resource
        return isOf(item, account, region) && isResource && time >= from && time <= to
      })
      const ordered = oldestFirst ? found : found.reverse()
      const state = (each: { readonly item: StoredItem } | undefined) =>
        Number(each?.item.configurationStateId)
      const rest = ordered.filter(
        (each) => after === undefined || (oldestFirst ? state(each) > after : state(each) < after),
      )
      const page = rest.slice(0, limit)
      const next = rest.length > limit ? state(page.at(-1)) : undefined
      return { records: page.map(({ record }) => record), next }
    },
    newest: async (queries) =>
      queries.map(
        ({ account, region, type, resource }) =>
          newestOf(account, region)
            .filter(isThere)
            .find(({ item }) => item.resourceType === type && item.resourceId === resource)?.record,
      ),
    resources: async ({ account, region, type, deleted, records, limit, after }) =>
      newestOf(account, region)
        .filter((each) => deleted || isThere(each))
        .filter(({ item }) => type === undefined || item.resourceType === type)
        .filter(({ item }) => {
          const name = `${item.resourceType} ${item.resourceId}`
          return after === undefined || name > `${after.type} ${after.resource}`
        })
        .slice(0, limit)
        .map(({ item, record }) => ({
          ...{ type: item.resourceType, resource: item.resourceId, name: item.resourceName },
          time: Date.parse(item.configurationItemCaptureTime),
          deleted: item.configurationItemStatus === 'ResourceDeleted' ? 1 : 0,
          ...(records === true && { record }),
        })),
    async counts(account, region) {
      const counts = new Map<string, number>()
      for (const { item } of newestOf(account, region).filter(isThere)) {
        counts.set(item.resourceType, (counts.get(item.resourceType) ?? 0) + 1)
      }
      return [...counts].map(([type, count]) => ({ type, count }))
    },
  }
}
