"""boto3 against a bucket that encrypts by default; prints what it saw as JSON on its last line."""

import hashlib
import io
import json
import os

import boto3
from botocore.config import Config
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

s3 = boto3.client("s3")
kms = boto3.client("kms")
seen = {}


def refused(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    raise AssertionError("it was not refused")


key = kms.create_key()["KeyMetadata"]["Arn"]
s3.create_bucket(Bucket="boto")
rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
s3.put_bucket_encryption(Bucket="boto", ServerSideEncryptionConfiguration={"Rules": [rule]})

large = os.urandom(23 * 1024 * 1024 + 1)
config = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20, max_concurrency=4)
s3.upload_fileobj(io.BytesIO(large), "boto", "large", Config=config)
back = io.BytesIO()
s3.download_fileobj("boto", "large", back, Config=config)
seen["multipart"] = hashlib.sha256(back.getvalue()).digest() == hashlib.sha256(large).digest()

put = s3.put_object(Bucket="boto", Key="a/b c+ü", Body=b"hello", Metadata={"m": "1"})
seen["putKey"] = put["SSEKMSKeyId"] == key
got = s3.get_object(Bucket="boto", Key="a/b c+ü")
seen["body"] = got["Body"].read().decode()
seen["metadata"] = got["Metadata"]
for index in range(25):
    s3.put_object(Bucket="boto", Key=f"p/{index:03}", Body=b"x")
pages = s3.get_paginator("list_objects_v2").paginate(Bucket="boto", Prefix="p/", PaginationConfig={"PageSize": 7})
seen["listed"] = [item["Key"] for page in pages for item in page.get("Contents", [])]
prefixes = s3.list_objects_v2(Bucket="boto", Delimiter="/")["CommonPrefixes"]
seen["prefixes"] = [item["Prefix"] for item in prefixes]
s3.copy_object(Bucket="boto", Key="copied", CopySource={"Bucket": "boto", "Key": "a/b c+ü"})
seen["copied"] = s3.get_object(Bucket="boto", Key="copied")["Body"].read().decode()
customer = {"SSECustomerKey": b"k" * 32, "SSECustomerAlgorithm": "AES256"}
s3.put_object(Bucket="boto", Key="c", Body=b"customer", **customer)
seen["customer"] = s3.get_object(Bucket="boto", Key="c", **customer)["Body"].read().decode()
seen["customerRefused"] = refused(lambda: s3.get_object(Bucket="boto", Key="c"))
deleted = s3.delete_objects(Bucket="boto", Delete={"Objects": [{"Key": name} for name in seen["listed"]]})
seen["deleted"] = len(deleted["Deleted"])
seen["missing"] = refused(lambda: s3.get_object(Bucket="boto", Key="none"))
seen["missingHead"] = refused(lambda: s3.head_object(Bucket="boto", Key="none"))
seen["noBucket"] = refused(lambda: s3.list_objects_v2(Bucket="no-such-bucket-here"))
# boto3 signs URLs of us-east-1 with Signature Version 2 unless it is told otherwise.
v4 = boto3.client("s3", config=Config(signature_version="s3v4"))
url = v4.generate_presigned_url("get_object", Params={"Bucket": "boto", "Key": "copied"})
seen["presigned"] = url
print(json.dumps(seen))
