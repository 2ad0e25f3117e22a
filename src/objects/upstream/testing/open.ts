import { systemClock } from '../../../base/clock.ts'
import { systemRandom } from '../../../base/random.ts'
import { RequestSigner } from '../../../base/request-signer.ts'
import { nodeDisk } from '../../files/disk.ts'
import type { ObjectStore } from '../../port.ts'
import { openInline } from '../../rows/channel.ts'
import type { RowsOptions } from '../../rows/rows.ts'
import { type UpstreamServer, upstreamKey } from '../../testing/upstream-server.ts'
import { UpstreamEngine } from '../engine.ts'
import { targetOf, type UpstreamOptions } from '../options.ts'
import { openUpstreamStore } from '../store.ts'

export const inline = (options: RowsOptions) => openInline(options, { disk: nodeDisk.sync })

export function optionsFor(
  server: UpstreamServer,
  rest: Pick<UpstreamOptions, 'directory' | 'node'> & Partial<UpstreamOptions>,
): UpstreamOptions {
  const { accessKeyId, secret, region } = upstreamKey
  return {
    ...{ clock: systemClock, random: systemRandom, connect: inline },
    ...{ endpoint: server.endpoint, bucket: server.bucket, region, accessKeyId },
    ...{ secretAccessKey: Buffer.from(secret), deadlineMs: 2000, partBytes: 5 * 1024 * 1024 },
    ...rest,
  }
}

export const openOver = (...given: Parameters<typeof optionsFor>): Promise<ObjectStore> =>
  openUpstreamStore(optionsFor(...given))

export function engineFor(...given: Parameters<typeof optionsFor>): UpstreamEngine {
  const options = optionsFor(...given)
  const target = targetOf(options)
  const signer = new RequestSigner(options, { region: target.region, service: 's3' })
  return new UpstreamEngine(target, signer, options)
}
