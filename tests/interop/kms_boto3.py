"""Runs every operation with boto3, unchanged, and says on the last line of standard output that it did.

The environment says where and as whom: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_DEFAULT_REGION. Exit code 0 when everything was as AWS would have it.
"""

import json
import os
import time
import uuid

import boto3
import oaep
from botocore.config import Config
from botocore.exceptions import ClientError

config = Config(retries={"max_attempts": 1})
kms = boto3.client("kms", config=config)
sts = boto3.client("sts", config=config)
cloudtrail = boto3.client("cloudtrail", config=config)

called = set()
elsewhere = boto3.client("kms", config=config, region_name="eu-west-1")


def call(operation, client=kms, **arguments):
    called.add(operation)
    return getattr(client, operation)(**arguments)


def fails(code, message, operation, **arguments):
    try:
        call(operation, **arguments)
    except ClientError as error:
        found = error.response["Error"]
        assert found["Code"] == code, found
        assert message is None or found["Message"] == message, found
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, error.response
        # boto3 has a class of its own for each modelled error.
        modelled = getattr(kms.exceptions, code, None) if code.endswith("Exception") else None
        assert modelled is None or isinstance(error, modelled), type(error)
        return
    raise AssertionError(f"{operation} should fail with {code}")


def new_key(**arguments):
    return call("create_key", **arguments)["KeyMetadata"]


def identity():
    answer = sts.get_caller_identity()
    account = answer["Account"]
    assert answer["Arn"] == f"arn:aws:iam::{account}:root", answer
    return account


def keys(account):
    metadata = new_key(Description="boto3", Tags=[{"TagKey": "team", "TagValue": "red"}])
    key_id, arn = metadata["KeyId"], metadata["Arn"]
    assert arn == f"arn:aws:kms:{kms.meta.region_name}:{account}:key/{key_id}"
    assert metadata["KeyState"] == "Enabled" and metadata["Enabled"] is True
    assert call("describe_key", KeyId=arn)["KeyMetadata"] == metadata
    call("update_key_description", KeyId=key_id, Description="changed")
    assert call("describe_key", KeyId=key_id)["KeyMetadata"]["Description"] == "changed"

    call("tag_resource", KeyId=key_id, Tags=[{"TagKey": "a", "TagValue": "1"}])
    call("untag_resource", KeyId=key_id, TagKeys=["team"])
    tags = call("list_resource_tags", KeyId=key_id)["Tags"]
    assert tags == [{"TagKey": "a", "TagValue": "1"}], tags

    call("disable_key", KeyId=key_id)
    fails("DisabledException", f"{arn} is disabled.", "encrypt", KeyId=key_id, Plaintext=b"x")
    call("enable_key", KeyId=key_id)
    scheduled = call("schedule_key_deletion", KeyId=key_id, PendingWindowInDays=7)
    assert scheduled["KeyState"] == "PendingDeletion", scheduled
    pending = f"{arn} is pending deletion."
    fails("KMSInvalidStateException", pending, "encrypt", KeyId=key_id, Plaintext=b"x")
    assert call("cancel_key_deletion", KeyId=key_id)["KeyId"] == arn
    call("enable_key", KeyId=key_id)
    return key_id, arn


def pages():
    for _ in range(3):
        new_key()
    paginator = kms.get_paginator("list_keys")
    found = [entry["KeyId"] for page in paginator.paginate(PaginationConfig={"PageSize": 2}) for entry in page["Keys"]]
    whole = [entry["KeyId"] for entry in call("list_keys", Limit=1000)["Keys"]]
    assert len(set(found)) == len(found) and sorted(found) == sorted(whole)


def aliases(key_id):
    other = new_key()["KeyId"]
    call("create_alias", AliasName="alias/boto3", TargetKeyId=key_id)
    fails("AlreadyExistsException", None, "create_alias", AliasName="alias/boto3", TargetKeyId=key_id)
    assert call("describe_key", KeyId="alias/boto3")["KeyMetadata"]["KeyId"] == key_id
    call("update_alias", AliasName="alias/boto3", TargetKeyId=other)
    [alias] = call("list_aliases", KeyId=other)["Aliases"]
    assert alias["AliasName"] == "alias/boto3" and alias["TargetKeyId"] == other, alias
    call("delete_alias", AliasName="alias/boto3")
    assert call("list_aliases", KeyId=other)["Aliases"] == []


def policies(account, key_id):
    assert call("list_key_policies", KeyId=key_id)["PolicyNames"] == ["default"]
    policy = json.loads(call("get_key_policy", KeyId=key_id, PolicyName="default")["Policy"])
    assert policy["Id"] == "key-default-1", policy
    policy["Id"] = "changed"
    call("put_key_policy", KeyId=key_id, PolicyName="default", Policy=json.dumps(policy))
    assert json.loads(call("get_key_policy", KeyId=key_id)["Policy"]) == policy
    locked = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                    "Action": "kms:DescribeKey",
                    "Resource": "*",
                }
            ],
        }
    )
    fails(
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
        "put_key_policy",
        KeyId=key_id,
        Policy=locked,
    )


def cryptography(key_id, arn):
    context = {"purpose": "test", "名": "値"}
    encrypted = call("encrypt", KeyId=key_id, Plaintext=b"a secret", EncryptionContext=context)
    assert encrypted["KeyId"] == arn
    blob = encrypted["CiphertextBlob"]
    decrypted = call("decrypt", CiphertextBlob=blob, EncryptionContext=context)
    assert decrypted["Plaintext"] == b"a secret" and decrypted["KeyId"] == arn
    fails("InvalidCiphertextException", None, "decrypt", CiphertextBlob=blob)
    other = new_key()
    moved = call(
        "re_encrypt",
        CiphertextBlob=blob,
        SourceEncryptionContext=context,
        DestinationKeyId=other["KeyId"],
    )
    assert moved["SourceKeyId"] == arn and moved["KeyId"] == other["Arn"], moved
    assert call("decrypt", CiphertextBlob=moved["CiphertextBlob"])["Plaintext"] == b"a secret"
    wrong = {"CiphertextBlob": blob, "EncryptionContext": context, "KeyId": other["KeyId"]}
    fails("IncorrectKeyException", None, "decrypt", **wrong)

    data_key = call("generate_data_key", KeyId=key_id, KeySpec="AES_256")
    assert len(data_key["Plaintext"]) == 32
    opened = call("decrypt", CiphertextBlob=data_key["CiphertextBlob"])
    assert opened["Plaintext"] == data_key["Plaintext"]
    sealed = call("generate_data_key_without_plaintext", KeyId=key_id, NumberOfBytes=64)
    assert "Plaintext" not in sealed
    assert len(call("decrypt", CiphertextBlob=sealed["CiphertextBlob"])["Plaintext"]) == 64
    assert len(call("generate_random", NumberOfBytes=100)["Plaintext"]) == 100
    fails(
        "DryRunOperationException",
        "The request would have succeeded, but the DryRun option is set.",
        "encrypt",
        KeyId=key_id,
        Plaintext=b"x",
        DryRun=True,
    )


def asymmetric():
    message = b"signed by boto3"
    for spec, algorithm in [("ECC_NIST_P256", "ECDSA_SHA_256"), ("ML_DSA_65", "ML_DSA_SHAKE_256")]:
        key = new_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
        assert key["SigningAlgorithms"] == [algorithm], key
        arguments = {"KeyId": key["KeyId"], "Message": message, "SigningAlgorithm": algorithm}
        signature = call("sign", **arguments)["Signature"]
        assert call("verify", **arguments, Signature=signature)["SignatureValid"] is True
        forged = {**arguments, "Message": b"forged", "Signature": signature}
        fails("KMSInvalidSignatureException", None, "verify", **forged)
        public = call("get_public_key", KeyId=key["Arn"])
        assert public["KeySpec"] == spec and len(public["PublicKey"]) > 32

    hmac = new_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyId"]
    arguments = {"KeyId": hmac, "Message": message, "MacAlgorithm": "HMAC_SHA_256"}
    mac = call("generate_mac", **arguments)["Mac"]
    assert call("verify_mac", **arguments, Mac=mac)["MacValid"] is True
    fails("KMSInvalidMacException", None, "verify_mac", **arguments, Mac=mac[1:])

    pair = [new_key(KeySpec="ECC_NIST_P384", KeyUsage="KEY_AGREEMENT")["KeyId"] for _ in range(2)]
    secrets = [
        call(
            "derive_shared_secret",
            KeyId=own,
            KeyAgreementAlgorithm="ECDH",
            PublicKey=call("get_public_key", KeyId=other)["PublicKey"],
        )["SharedSecret"]
        for own, other in (pair, reversed(pair))
    ]
    assert secrets[0] == secrets[1] and len(secrets[0]) == 48

    # Newer versions of boto3 alone know these.
    if hasattr(kms, "encapsulate"):
        kem = new_key(KeySpec="ML_KEM_768", KeyUsage="ENCAPSULATE_DECAPSULATE")["KeyId"]
        arguments = {"KeyId": kem, "EncapsulationAlgorithm": "ML_KEM"}
        sealed = call("encapsulate", **arguments)
        blob = sealed["SharedSecretCiphertextBlob"]
        opened = call("decapsulate", **arguments, SharedSecretCiphertextBlob=blob)
        assert opened["SharedSecret"] == sealed["SharedSecret"]


def data_key_pairs(key_id):
    arguments = {"KeyId": key_id, "KeyPairSpec": "ECC_NIST_EDWARDS25519"}
    pair = call("generate_data_key_pair", **arguments)
    opened = call("decrypt", CiphertextBlob=pair["PrivateKeyCiphertextBlob"])
    assert opened["Plaintext"] == pair["PrivateKeyPlaintext"]
    sealed = call("generate_data_key_pair_without_plaintext", **arguments)
    assert "PrivateKeyPlaintext" not in sealed and sealed["PublicKey"] != pair["PublicKey"]


def rotation():
    key_id = new_key()["KeyId"]
    call("enable_key_rotation", KeyId=key_id, RotationPeriodInDays=180)
    status = call("get_key_rotation_status", KeyId=key_id)
    assert status["KeyRotationEnabled"] is True and status["RotationPeriodInDays"] == 180, status
    call("disable_key_rotation", KeyId=key_id)
    assert call("get_key_rotation_status", KeyId=key_id)["KeyRotationEnabled"] is False
    blob = call("encrypt", KeyId=key_id, Plaintext=b"old")["CiphertextBlob"]
    call("rotate_key_on_demand", KeyId=key_id)
    [rotated] = call("list_key_rotations", KeyId=key_id)["Rotations"]
    assert rotated["RotationType"] == "ON_DEMAND", rotated
    opened = call("decrypt", CiphertextBlob=blob)
    assert opened["Plaintext"] == b"old" and opened["KeyMaterialId"] != rotated["KeyMaterialId"]
    used = call("get_key_last_usage", KeyId=key_id)["KeyLastUsage"]
    assert used["Operation"] == "Decrypt", used


def imported():
    key = new_key(Origin="EXTERNAL")
    assert key["KeyState"] == "PendingImport", key
    material = os.urandom(32)
    for algorithm, name in [("RSAES_OAEP_SHA_256", "sha256"), ("RSAES_OAEP_SHA_1", "sha1")]:
        parameters = call(
            "get_parameters_for_import",
            KeyId=key["KeyId"],
            WrappingAlgorithm=algorithm,
            WrappingKeySpec="RSA_2048",
        )
        call(
            "import_key_material",
            KeyId=key["KeyId"],
            ImportToken=parameters["ImportToken"],
            EncryptedKeyMaterial=oaep.encrypt(parameters["PublicKey"], material, name),
            ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
        )
        assert len(call("encrypt", KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]) > 1
        call("delete_imported_key_material", KeyId=key["KeyId"])
        waiting = f"{key['Arn']} is pending import."
        fails("KMSInvalidStateException", waiting, "encrypt", KeyId=key["KeyId"], Plaintext=b"x")


def grants(account):
    key = new_key()
    root = f"arn:aws:iam::{account}:root"
    arguments = {"KeyId": key["KeyId"], "GranteePrincipal": root, "Operations": ["Encrypt", "Decrypt"]}
    one = call("create_grant", **arguments, RetiringPrincipal=root)
    two = call("create_grant", **arguments, RetiringPrincipal=root)
    tokens = {"KeyId": key["KeyId"], "Plaintext": b"x", "GrantTokens": [one["GrantToken"]]}
    assert call("encrypt", **tokens)["KeyId"] == key["Arn"]
    listed = {grant["GrantId"] for grant in call("list_grants", KeyId=key["KeyId"])["Grants"]}
    assert listed == {one["GrantId"], two["GrantId"]}, listed
    retirable = call("list_retirable_grants", RetiringPrincipal=root)["Grants"]
    assert listed <= {grant["GrantId"] for grant in retirable}, retirable
    call("retire_grant", GrantToken=one["GrantToken"])
    call("revoke_grant", KeyId=key["KeyId"], GrantId=two["GrantId"])
    assert call("list_grants", KeyId=key["KeyId"])["Grants"] == []
    fails("InvalidGrantTokenException", None, "encrypt", **tokens)


def regions():
    key = new_key(MultiRegion=True)
    key_id = key["KeyId"]
    replica = call("replicate_key", KeyId=key_id, ReplicaRegion="eu-west-1")["ReplicaKeyMetadata"]
    assert replica["KeyId"] == key_id and ":eu-west-1:" in replica["Arn"], replica
    blob = call("encrypt", KeyId=key_id, Plaintext=b"far away")["CiphertextBlob"]
    opened = call("decrypt", client=elsewhere, CiphertextBlob=blob)
    assert opened["Plaintext"] == b"far away" and opened["KeyId"] == replica["Arn"], opened
    call("update_primary_region", KeyId=key_id, PrimaryRegion="eu-west-1")
    moved = call("describe_key", KeyId=key_id)["KeyMetadata"]["MultiRegionConfiguration"]
    assert moved["MultiRegionKeyType"] == "REPLICA", moved


def custom_key_stores():
    assert call("describe_custom_key_stores")["CustomKeyStores"] == []
    fails(
        "CloudHsmClusterNotFoundException",
        None,
        "create_custom_key_store",
        CustomKeyStoreName="cluster",
        CloudHsmClusterId="cluster-2a23b4cdefg",
        TrustAnchorCertificate="certificate",
        KeyStorePassword="kmsPswd1",
    )
    for verb in ["connect", "disconnect", "update", "delete"]:
        absent = {"CustomKeyStoreId": "cks-1234567890abcdef0"}
        fails("CustomKeyStoreNotFoundException", None, f"{verb}_custom_key_store", **absent)


def errors():
    absent = str(uuid.uuid4())
    fails("NotFoundException", "Invalid keyId 'nowhere'", "describe_key", KeyId="nowhere")
    fails("NotFoundException", None, "describe_key", KeyId=absent)
    fails("ValidationException", "NumberOfBytes is required.", "generate_random")
    stranger = boto3.client(
        "kms", aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="wrong", config=config
    )
    try:
        stranger.list_keys()
        raise AssertionError("a stranger was let in")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "UnrecognizedClientException", error


def lookup(arn):
    attribute = {"AttributeKey": "ResourceName", "AttributeValue": arn}
    names = set()
    for page in cloudtrail.get_paginator("lookup_events").paginate(LookupAttributes=[attribute]):
        for event in page["Events"]:
            record = json.loads(event["CloudTrailEvent"])
            assert record["eventID"] == event["EventId"]
            assert abs(time.time() - event["EventTime"].timestamp()) < 300
            names.add(event["EventName"])
    assert {"CreateKey", "Encrypt", "Decrypt", "ReEncrypt", "DisableKey"} <= names, names


account = identity()
key_id, arn = keys(account)
pages()
aliases(key_id)
policies(account, key_id)
cryptography(key_id, arn)
asymmetric()
data_key_pairs(key_id)
rotation()
imported()
grants(account)
regions()
custom_key_stores()
errors()
lookup(arn)
print(json.dumps({"operations": sorted(called)}))
