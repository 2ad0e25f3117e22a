import { RequestSigner } from '../../base/request-signer.ts'
import type { ObjectStore } from '../port.ts'
import { explain } from '../rows/database.ts'
import { openRows, requireNodeName } from '../rows/open-rows.ts'
import { RowStore } from '../rows/row-store.ts'
import { Budget } from './budget.ts'
import { UpstreamEngine } from './engine.ts'
import { claim } from './marker.ts'
import { targetOf, type UpstreamOptions } from './options.ts'
import { PartBuffers } from './part-buffers.ts'
import { EngineProbe } from './probe.ts'
import { FormerRuns } from './sweep.ts'
import { UpstreamBodies } from './upstream-bodies.ts'

/** What all bodies together have on their way: many small ones go side by side, large ones do not. */
const sentBytesMax = 64 * 1024 * 1024

/**
 * Opens a store whose bodies are objects of an upstream S3 engine and whose rows are in SQLite here. Threads are
 * started now and never again. Throws an Error that says in one sentence what is wrong: with the folder, with the
 * options, or with the bucket, which must exist, let these credentials in and belong to no other store.
 */
export async function openUpstreamStore(options: UpstreamOptions): Promise<ObjectStore> {
  const { directory, node, bucket, endpoint, clock, random } = options
  requireNodeName(node)
  const fail = (error: unknown) =>
    new Error(
      `The objects of '${directory}' in the bucket '${bucket}' at ${endpoint} cannot be opened: ${explain(error)}.`,
      { cause: error },
    )
  try {
    const target = targetOf(options)
    const signer = new RequestSigner(options, { region: target.region, service: 's3' })
    const engine = new UpstreamEngine(target, signer, { clock, random })
    try {
      const { rows, run, place } = await openRows(options, 's3')
      try {
        await claim(engine, place)
      } catch (error) {
        await rows.close()
        throw error
      }
      const former = new FormerRuns(engine, rows)
      const bodies = new UpstreamBodies({
        ...{ engine, random, run, former },
        buffers: new PartBuffers(target.partBytes),
        budget: new Budget(sentBytesMax),
        probe: new EngineProbe(engine),
      })
      return new RowStore(rows, bodies, random)
    } catch (error) {
      engine.close()
      throw error
    }
  } catch (error) {
    options.secretAccessKey.fill(0)
    throw fail(error)
  }
}
