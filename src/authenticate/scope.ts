import { parseRegion, type Region } from '../base/ids.ts'
import type { RequestTime } from './amz-date.ts'
import type { Authorization } from './authorization.ts'
import { invalidSignature } from './refusals.ts'

const echoCharsMax = 32
const terminator = 'aws4_request'

/** The Region of AWS's global services. */
const globalRegion = parseRegion('us-east-1')
/**
 * Services that answer there whatever the Regions of the deployment are. Everything of IAM is of that Region; a client
 * that was told another endpoint than AWS's signs for its own Region all the same.
 */
const globalServices: ReadonlySet<string> = new Set(['cloudtrail', 'iam', 'sts'])

/** The credential scopes that are served here. */
export class Scopes {
  readonly #regions = new Map<string, Region>()
  readonly #services: ReadonlySet<string>
  readonly #serviceNames: string

  constructor(regions: Iterable<string>, services: ReadonlySet<string>) {
    for (const name of regions) {
      const region = parseRegion(name)
      if (region === undefined) throw new Error(`'${name}' is no Region`)
      this.#regions.set(name, region)
    }
    this.#services = services
    this.#serviceNames = [...services].map((name) => `'${name}'`).join(', ')
  }

  /** The Region asked for. Throws 'invalid-signature' with one sentence for each element that is wrong. */
  regionOf(authorization: Authorization, time: RequestTime): Region {
    const { service, date } = authorization
    const region = this.#servedRegion(authorization)
    if (
      region !== undefined &&
      this.#services.has(service) &&
      authorization.terminator === terminator &&
      time.text.startsWith(date) &&
      date.length === 8
    ) {
      return service === 'iam' ? (globalRegion ?? region) : region
    }
    throw invalidSignature(this.#faults(authorization, time))
  }

  #servedRegion({ region, service }: Authorization): Region | undefined {
    const served = this.#regions.get(region)
    if (served !== undefined || region !== globalRegion) return served
    return globalServices.has(service) ? globalRegion : undefined
  }

  #faults(authorization: Authorization, time: RequestTime): string {
    let text = ''
    if (this.#servedRegion(authorization) === undefined) {
      text += 'Credential should be scoped to a valid region. '
    }
    if (!this.#services.has(authorization.service)) {
      text += `Credential should be scoped to correct service: ${this.#serviceNames}. `
    }
    if (authorization.terminator !== terminator) {
      text += `Credential should be scoped with a valid terminator: '${terminator}'. `
    }
    const day = time.text.slice(0, 8)
    if (authorization.date !== day) {
      text +=
        'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ' +
        `'${authorization.date.slice(0, echoCharsMax)}' != '${day}', from '${time.text}'.`
    }
    return text
  }
}
