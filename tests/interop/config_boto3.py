"""Drives AWS Config with boto3, and prints what it saw as one JSON object."""

import json
import sys
import time

import boto3

config = boto3.client("config")
kms = boto3.client("kms")
seen = {}

key = kms.create_key(Description="boto3")["KeyMetadata"]["KeyId"]
kms.create_alias(AliasName="alias/config", TargetKeyId=key)
kms.enable_key_rotation(KeyId=key)
of = {"resourceType": "AWS::KMS::Key", "resourceId": key}

history = config.get_resource_config_history(**of)["configurationItems"]
seen["statuses"] = [item["configurationItemStatus"] for item in history]
seen["rotation"] = [item["supplementaryConfiguration"]["KeyRotationStatus"] for item in history]
seen["keyState"] = json.loads(history[0]["configuration"])["keyState"]
seen["relatedEvents"] = history[0]["relatedEvents"]
pages = config.get_paginator("get_resource_config_history").paginate(
    **of, PaginationConfig={"PageSize": 1}
)
seen["pages"] = sum(len(page["configurationItems"]) for page in pages)
seen["listed"] = [
    found["resourceId"]
    for page in config.get_paginator("list_discovered_resources").paginate(
        resourceType="AWS::KMS::Alias"
    )
    for found in page["resourceIdentifiers"]
]
seen["batch"] = len(
    config.batch_get_resource_config(resourceKeys=[of])["baseConfigurationItems"]
)
seen["counts"] = config.get_discovered_resource_counts()["totalDiscoveredResources"]
expression = (
    "SELECT resourceId, configuration.keyState, tags "
    "WHERE resourceType = 'AWS::KMS::Key' AND supplementaryConfiguration.KeyRotationStatus = 'true'"
)
seen["selected"] = [
    json.loads(result)
    for result in config.select_resource_config(Expression=expression)["Results"]
]
try:
    config.select_resource_config(Expression="SELECT FROM")
except config.exceptions.InvalidExpressionException as error:
    seen["expression"] = error.response["Error"]["Message"]

source = {"Owner": "AWS", "SourceIdentifier": "CMK_BACKING_KEY_ROTATION_ENABLED"}
config.put_config_rule(
    ConfigRule={"ConfigRuleName": "rotation", "Source": source},
    Tags=[{"Key": "a", "Value": "b"}],
)


def verdict():
    results = config.get_compliance_details_by_config_rule(ConfigRuleName="rotation")
    return [result["ComplianceType"] for result in results["EvaluationResults"]]


def becomes(wanted):
    begin = time.monotonic()
    while verdict() != wanted and time.monotonic() - begin < 10:
        time.sleep(0.2)
    return verdict()


seen["compliant"] = becomes(["COMPLIANT"])
kms.disable_key_rotation(KeyId=key)
seen["violated"] = becomes(["NON_COMPLIANT"])
rules = config.describe_config_rules()["ConfigRules"]
seen["rules"] = [rule["ConfigRuleName"] for rule in rules]
seen["tags"] = config.list_tags_for_resource(ResourceArn=rules[0]["ConfigRuleArn"])["Tags"]
config.delete_config_rule(ConfigRuleName="rotation")
try:
    verdict()
except config.exceptions.NoSuchConfigRuleException:
    seen["gone"] = True

model = config.meta.service_model


def members(shape, depth=0):
    if shape is None:
        return None
    if shape.type_name == "structure":
        return {name: members(each, depth + 1) for name, each in shape.members.items()}
    if shape.type_name == "list":
        return [members(shape.member, depth + 1)]
    return None


seen["model"] = {
    name: {
        "input": members(model.operation_model(name).input_shape),
        "output": members(model.operation_model(name).output_shape),
    }
    for name in model.operation_names
}
json.dump(seen, sys.stdout)
