/** What the service says of its root log, the witnesses of that, and the listener that serves all of it. */
export type LogStatus = {
  readonly endpoint?: string
  readonly root: {
    readonly writing: boolean
    readonly origin?: string
    readonly size: number
    readonly witnessedSize: number
    readonly failure?: string
  }
  readonly quorum: number
  readonly witnesses: readonly {
    readonly name: string
    readonly size: number
    readonly at?: number
    readonly failure?: string
  }[]
  readonly failures: Readonly<Record<string, string>>
}

/** Names and values, a line each. */
export function logLines({ endpoint, root, quorum, witnesses, failures }: LogStatus): string[][] {
  const lines = [
    ['root log', `${root.size} entries${root.writing ? '' : ', written by another process'}`],
  ]
  if (endpoint !== undefined) lines.push(['log served at', endpoint])
  if (root.failure !== undefined) lines.push(['root log failed', root.failure])
  for (const [name, reason] of Object.entries(failures)) lines.push([`log ${name}`, reason])
  if (witnesses.length === 0) {
    lines.push(['witnesses', 'none: only a kept checkpoint tells whether the record was rewritten'])
    return lines
  }
  const behind = root.size - root.witnessedSize
  lines.push([
    'witnessed',
    `${root.witnessedSize} entries by ${quorum} of ${witnesses.length} witnesses, ${behind} behind`,
  ])
  for (const { name, size, at, failure } of witnesses) {
    const since = at === undefined ? 'never' : `${size} entries at ${new Date(at).toISOString()}`
    lines.push([`witness ${name}`, failure === undefined ? since : `${failure} (last: ${since})`])
  }
  return lines
}
