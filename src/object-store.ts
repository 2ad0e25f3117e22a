import { join } from 'node:path'
import type { Clock } from './base/clock.ts'
import type { Random } from './base/random.ts'
import type { Config } from './config.ts'
import { upstreamSecret } from './config-objects.ts'
import { openFileStore } from './objects/files/store.ts'
import type { ObjectStore } from './objects/port.ts'
import { openUpstreamStore } from './objects/upstream/store.ts'

/** Opens the store that the configuration names. Its threads are started here, and never again. */
export function openObjects(
  { dataDir, node, upstream }: Config,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<ObjectStore> {
  const here = { directory: join(dataDir, 'objects'), node, clock, random }
  if (upstream === undefined) return openFileStore(here)
  return openUpstreamStore({ ...here, ...upstream, secretAccessKey: upstreamSecret(upstream) })
}
