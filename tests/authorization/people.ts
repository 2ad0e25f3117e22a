/** Who asks in the decision cases. */
import { abroad, home, root, session, user } from '../../src/authorize/test-samples.ts'

export { abroad, home, keyArn, providerArn, webIdentity } from '../../src/authorize/test-samples.ts'

export const owner = root(home)
export const alice = user(home, 'alice')
/** A user with a path. */
export const ann = user(home, 'ann', '/team/')
/** Two sessions of one role, which has a path. */
export const day = session(home, 'Worker', 'day-shift', '/ops/')
export const night = session(home, 'Worker', 'night-shift', '/ops/')
export const workerArn = `arn:aws:iam::${home}:role/ops/Worker`

export const stranger = root(abroad)
export const bob = user(abroad, 'bob')
/** A session of a role of the same name, under the same name, in another account. */
export const guest = session(abroad, 'Worker', 'day-shift', '/ops/')
export const guestRoleArn = `arn:aws:iam::${abroad}:role/ops/Worker`

export const everybody = { owner, alice, ann, day, night, stranger, bob, guest } as const
export type PersonName = keyof typeof everybody
