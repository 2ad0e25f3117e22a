/**
 * What is made by chance, each with the name that its place takes. Numbered anew in each group of records: what is the
 * same within a group has the same number, as the sharedEventID of two copies.
 */
const chances: readonly (readonly [kind: string, pattern: string])[] = [
  ['uuid', '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'],
  ['version', '(?<=(?:version-id|versionId)":")[\\w-]{32}(?=")'],
  // x-amz-id-2 is the id of the request in Base64.
  ['hostid', '\\b[A-Za-z0-9]{48}\\b'],
  ['mrk', '(?<=mrk-)[0-9a-f]{32}'],
  ['hex', '\\b[0-9a-f]{64}\\b'],
  ['grant', '\\b[0-9a-f]{64,}\\b'],
  ['id', '\\b(?:AKIA|ASIA|AIDA|AROA|AGPA|ANPA)[A-Z0-9]{12,20}\\b'],
  ['rule', '(?<=/config-rule-)[a-z0-9]{6,12}\\b'],
  ['port', '(?<=127\\.0\\.0\\.1:)\\d+|(?<=localhost:)\\d+'],
]
const chance = new RegExp(chances.map(([kind, pattern]) => `(?<${kind}>${pattern})`).join('|'), 'g')

/** The records of one call, with placeholders as in `<uuid 2>`. */
export function normalized(records: readonly unknown[]): readonly unknown[] {
  const known = new Map<string, string>()
  const counts = new Map<string, number>()
  const text = JSON.stringify(records).replace(chance, (found, ...rest) => {
    const groups = rest.at(-1) as Readonly<Record<string, string | undefined>>
    const kind = Object.keys(groups).find((name) => groups[name] !== undefined) ?? 'chance'
    const label = kind === 'id' ? found.slice(0, 4) : kind
    let name = known.get(found)
    if (name === undefined) {
      const count = (counts.get(label) ?? 0) + 1
      counts.set(label, count)
      name = `<${label} ${count}>`
      known.set(found, name)
    }
    return name
  })
  return JSON.parse(text)
}
