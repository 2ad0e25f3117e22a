import type { AccountId, Region } from './base/ids.ts'

/** The options of a start, what they are unless they are given, and how they are explained. */
export const defaults = {
  dataDir: 'data',
  listen: '127.0.0.1:7781',
  account: '111122223333' as AccountId,
  regions: ['us-east-1' as Region],
  node: 'main',
  segmentBytes: 64 * 1024 * 1024,
  domainKeyHours: 24,
  trailDeliverySeconds: 300,
  trailDigestSeconds: 3600,
  s3Hosts: ['localhost', 's3.localhost'],
}

export const startOptions = {
  data: { type: 'string' },
  listen: { type: 'string' },
  'log-listen': { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'insecure-plaintext': { type: 'boolean' },
  node: { type: 'string' },
  'root-passphrase-file': { type: 'string' },
  'root-passphrase-fd': { type: 'string' },
  'domain-key-hours': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

export const startHelp = `Usage: npm start -- [options]        or: npx kagiban start [options]

Starts the key service. The first start of a data folder makes it: it seals a root, makes the
first account and its root user, and prints that user's access key once.

Options (environment variables in brackets; an option wins over its variable)
  --data DIR                   data folder                [KAGIBAN_DATA]    (${defaults.dataDir})
  --listen HOST:PORT           address; port 0 picks one  [KAGIBAN_LISTEN]  (${defaults.listen})
  --log-listen HOST:PORT       serve the transparency log, read-only and without signatures
                               (docs/formats/log.md)      [KAGIBAN_LOG_LISTEN]  (off)
  --tls-cert FILE              certificate chain, PEM     [KAGIBAN_TLS_CERT]
  --tls-key FILE               its private key, PEM       [KAGIBAN_TLS_KEY]
  --insecure-plaintext         listen beyond loopback without TLS (only behind something that has it)
  --root-passphrase-file FILE  unseal the root with the passphrase in FILE
  --root-passphrase-fd N       … or with what can be read from file descriptor N; npm and npx hand
                               over 0 alone, as in: npm start -- --root-passphrase-fd 0 < FILE
  --domain-key-hours N         replace domain keys older than N hours       (${defaults.domainKeyHours})
  --node NAME                  name of this process, where several share a data folder (${defaults.node})
  -h, --help                   this text

Only at the first start of a data folder
  KAGIBAN_ACCOUNT                 its first account                         (${defaults.account})
  KAGIBAN_REGIONS                 comma-separated; the first is home        (${defaults.regions.join(',')})
  KAGIBAN_ROOT_ACCESS_KEY_ID      access key of that account's root user    (generated)
  KAGIBAN_ROOT_SECRET_ACCESS_KEY  its secret                                (generated)

At every start
  KAGIBAN_S3_HOST                 names of this endpoint below which S3's buckets are names, comma-separated,
                                  beside ${defaults.s3Hosts.join(' and ')}
  KAGIBAN_AUDIT_SEGMENT_BYTES     size of a journal segment                 (${defaults.segmentBytes})
                                  (rounded up to 4 KiB; 16 KiB to 1 GiB)
  KAGIBAN_TRAIL_DELIVERY_SECONDS  how often log files are delivered to trails (${defaults.trailDeliverySeconds})
  KAGIBAN_TRAIL_DIGEST_SECONDS    how often digests of them are            (${defaults.trailDigestSeconds})
  KAGIBAN_WITNESSES               file with the witnesses of the log (docs/operate/witnesses.md)
  KAGIBAN_EXPORTS                 file that says where the audit record is handed on to: files,
                                  webhooks, syslog (docs/operate/export.md)
  KAGIBAN_OBJECTS                 where the bytes of S3's objects are kept: 'files' in the data folder, or
                                  's3', a bucket of another engine (docs/operate/objects.md)  (files)
  KAGIBAN_OBJECTS_ENDPOINT        its address, as in https://rgw.example:7480
  KAGIBAN_OBJECTS_BUCKET          the bucket, which exists already
  KAGIBAN_OBJECTS_PREFIX          what all names in it begin with           (nothing)
  KAGIBAN_OBJECTS_REGION          its Region                                (us-east-1)
  KAGIBAN_OBJECTS_ACCESS_KEY_ID   an access key that may read, put, list and delete there
  KAGIBAN_OBJECTS_SECRET_FILE     file with its secret
  KAGIBAN_OBJECTS_CA_FILE         authorities of its certificate, PEM       (those that Node brings)
`
