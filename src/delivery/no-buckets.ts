import { DeliveryFailure, type TrailBuckets } from './bucket.ts'

/** Of a deployment without an object store: there is no bucket to deliver to. */
export const noBuckets: TrailBuckets = {
  put: ({ bucket }) =>
    Promise.reject(new DeliveryFailure('NoSuchBucket', `there is no bucket ${bucket}`)),
  check: () => Promise.resolve('no-bucket'),
}
