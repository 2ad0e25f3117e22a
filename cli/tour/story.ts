import type { Chapter } from './step.ts'

const teamKey = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Anna administers the key and cannot use it",
      "Effect": "Allow",
      "Principal": {"AWS": "arn:aws:iam::$ACCOUNT:user/anna"},
      "Action": ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy", "kms:EnableKey", "kms:DisableKey"],
      "Resource": "*"
    },
    {
      "Sid": "Ben uses it and cannot change it",
      "Effect": "Allow",
      "Principal": {"AWS": "arn:aws:iam::$ACCOUNT:user/ben"},
      "Action": ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"],
      "Resource": "*"
    }
  ]
}`

/** The same, and Carol. */
const teamKeyWithCarol = teamKey.replace(
  '"Principal": {"AWS": "arn:aws:iam::$ACCOUNT:user/ben"}',
  '"Principal": {"AWS": ["arn:aws:iam::$ACCOUNT:user/ben", "arn:aws:iam::$ACCOUNT:user/carol"]}',
)

/** A user who may do that by a policy of his own, and an access key. */
function newUser(name: 'anna' | 'ben' | 'carol', action: string): Chapter['steps'] {
  const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"${action}","Resource":"*"}]}`
  return [
    { as: 'root', line: `aws iam create-user --user-name ${name} --query User.Arn --output text` },
    {
      as: 'root',
      line: `aws iam put-user-policy --user-name ${name} --policy-name own --policy-document '${document}'`,
    },
    {
      as: 'root',
      line: `aws iam create-access-key --user-name ${name}`,
      givesKeyTo: name,
      says: 'SecretAccessKey',
    },
  ]
}

/** The id of the newest record of an operation whose line has that word. */
function eventId(name: string, operation: string, word: string): Chapter['steps'][number] {
  return {
    as: 'operator',
    line: `${name}=$(npx kagiban audit export | grep '"eventName":"${operation}"' | grep '${word}' | tail -n 1 | sed 's/.*"eventID":"\\([^"]*\\)".*/\\1/')`,
  }
}

/** What the tour tells, in order. */
export const story: readonly Chapter[] = [
  {
    title: 'Three people',
    text: `Anna will make a key and administer it, Ben will use it, and Carol may do everything in S3 and
nothing with keys.`,
    steps: [
      ...newUser('anna', 'kms:CreateKey'),
      ...newUser('ben', 's3:*'),
      ...newUser('carol', 's3:*'),
    ],
  },
  {
    title: 'A key whose administrators and users are apart',
    text: `The key's own policy says who may do what with it, and nobody else may: without a statement for
the account, not even root can use the key.`,
    steps: [
      {
        as: 'anna',
        files: { 'team-key.json': teamKey },
        line: 'KEY=$(aws kms create-key --policy file://team-key.json --query KeyMetadata.Arn --output text)',
      },
      {
        as: 'anna',
        files: { 'salaries.txt': 'Anna 4200, Ben 3900\n' },
        line: 'aws kms encrypt --key-id $KEY --plaintext fileb://salaries.txt',
        refused: 'AccessDeniedException',
      },
      {
        as: 'ben',
        line: 'aws kms encrypt --key-id $KEY --plaintext fileb://salaries.txt --query EncryptionAlgorithm --output text',
        says: 'SYMMETRIC_DEFAULT',
      },
      {
        as: 'ben',
        line: 'aws kms disable-key --key-id $KEY',
        refused: 'AccessDeniedException',
      },
      { as: 'operator', line: 'npx kagiban who-can $KEY' },
    ],
  },
  {
    title: 'Envelope encryption, bound to a context',
    text: `A data key encrypts the data, the key in the service encrypts the data key. Its encryption context
is part of it: whoever names another one gets nothing, and it stands in the record in clear.`,
    steps: [
      {
        as: 'ben',
        line: 'aws kms generate-data-key --key-id $KEY --key-spec AES_256 --encryption-context department=payroll --query CiphertextBlob --output text | base64 -d > data-key.wrapped',
      },
      {
        as: 'ben',
        line: 'aws kms decrypt --ciphertext-blob fileb://data-key.wrapped --encryption-context department=sales',
        refused: 'InvalidCiphertextException',
      },
      {
        as: 'ben',
        line: 'aws kms decrypt --ciphertext-blob fileb://data-key.wrapped --encryption-context department=payroll --query KeyId --output text',
        says: 'arn:aws:kms:',
      },
    ],
  },
  {
    title: 'A bucket that encrypts by default',
    text: `From now on everything that is put into the bucket is encrypted under the key, and whoever puts
or gets needs the key as well as the bucket.`,
    steps: [
      { as: 'ben', line: 'aws s3api create-bucket --bucket payroll' },
      {
        as: 'ben',
        line: `aws s3api put-bucket-encryption --bucket payroll --server-side-encryption-configuration '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"'$KEY'"}}]}'`,
      },
      {
        as: 'ben',
        line: 'aws s3api put-object --bucket payroll --key march.txt --body salaries.txt',
      },
    ],
  },
  {
    title: 'A read that is denied, and explained',
    text: `Carol may do everything in S3. The object is encrypted under a key that she may not use, and so
it is not hers to read. Only the operator learns in full what the decision was made of.`,
    steps: [
      {
        as: 'carol',
        line: 'aws s3api get-object --bucket payroll --key march.txt stolen.txt',
        refused: 'AccessDenied',
      },
      eventId('EVENT', 'Decrypt', 'user/carol'),
      { as: 'operator', line: 'npx kagiban explain $EVENT', says: 'carol' },
    ],
  },
  {
    title: 'A read that works, found in both records',
    text: `Ben's read is one event of S3 and one of KMS. They are joined by the request's id, not by the time.`,
    steps: [
      {
        as: 'ben',
        line: 'aws s3api get-object --bucket payroll --key march.txt copy.txt',
        says: 'ContentLength',
      },
      { as: 'ben', line: 'cmp salaries.txt copy.txt && echo the same', says: 'the same' },
      {
        as: 'operator',
        line: 'npx kagiban report object-access s3://payroll/march.txt',
        says: 'ben',
      },
    ],
  },
  {
    title: 'A signature that others can verify',
    text: `The private key never leaves the key core; the public one is for everybody, and any program that
knows the algorithm can check what it signed.`,
    steps: [
      {
        as: 'root',
        line: 'SIGNER=$(aws kms create-key --key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY --query KeyMetadata.Arn --output text)',
      },
      {
        as: 'root',
        line: 'aws kms sign --key-id $SIGNER --message fileb://salaries.txt --message-type RAW --signing-algorithm ECDSA_SHA_256 --query Signature --output text | base64 -d > signature',
      },
      {
        as: 'root',
        line: 'aws kms get-public-key --key-id $SIGNER --query PublicKey --output text | base64 -d > public-key.der',
      },
      {
        as: 'operator',
        needs: 'openssl',
        line: 'openssl dgst -sha256 -keyform DER -verify public-key.der -signature signature salaries.txt',
        says: 'Verified OK',
      },
    ],
  },
  {
    title: 'A policy changes, and acts on the very next call',
    text: `Anna lets Carol use the key. Nothing has to be waited for, and every version of the policy stays
in the record: who wrote it, when, and what it newly allowed.`,
    steps: [
      {
        as: 'anna',
        files: { 'team-key.json': teamKeyWithCarol },
        line: 'aws kms put-key-policy --key-id $KEY --policy file://team-key.json',
      },
      {
        as: 'carol',
        line: 'aws s3api get-object --bucket payroll --key march.txt read.txt',
        says: 'ContentLength',
      },
      { as: 'operator', line: 'npx kagiban policy history $KEY', says: 'carol' },
    ],
  },
  {
    title: 'The record, proved',
    text: `Every call above is a leaf of one Merkle tree under signed checkpoints. A proof of one record can
be checked anywhere, without the service and without its data.`,
    steps: [
      { as: 'operator', line: 'npx kagiban audit verify' },
      eventId('EVENT', 'GetObject', 'user/carol'),
      { as: 'operator', line: 'npx kagiban audit prove $EVENT > proof.txt' },
      { as: 'operator', line: 'npx kagiban audit check-proof proof.txt' },
    ],
  },
]
