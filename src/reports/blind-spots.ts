/** How far back the index has events; what is counted of keys and grants goes back to the first record. */
export const indexedDays = 366

/** What more than one report cannot see. */
export const blindSpots = {
  otherJournals:
    'Only what the journals in this data folder say: what an earlier folder recorded is not in them.',
  dataKeys:
    'A data key that a caller keeps in clear can be used any number of times without another call: only its making and decrypting are seen.',
  publicKeys:
    'Whoever has the public key of an asymmetric key encrypts and verifies with it without any call.',
  nobody:
    'Calls without a valid signature are counted, not recorded one by one, and belong to no principal.',
  sessions:
    "Sessions are counted under their role: LookupEvents tells them apart, by the session's name.",
  days: 'Counts in the period are of whole days (UTC); the first and the last event are of all time.',
  indexed: `Single events are read from the index, which goes back ${indexedDays} days.`,
  now: 'Keys, grants and identities are as they are now, not as they were in the period.',
  rotation:
    'Rotation is of the material of the key itself: data that was encrypted before is not encrypted anew.',
  outside: 'What happened to copies of data or keys outside this deployment.',
} as const
