"""Runs MiniStack with the AWS managed policies' real documents, and with trust policies read as AWS reads them.

MiniStack knows about forty of AWS's managed policies and lets any other name be attached as a policy that
grants nothing. moto ships all of them, as IAM returned them; only that one file of moto is read, so moto may be
installed without its dependencies. Without moto MiniStack runs with those it knows.

A session's `aws:PrincipalArn` is its role's ARN in AWS, and its own in MiniStack. And MiniStack has no service that
assumes a role: the front door, which alone calls as the account's root, reads the trust policy itself, as the service
that it stands for. Of those it has EKS Auth's requests checked for their signature here: a name that MiniStack has not
heard of it looks for in all of botocore's models, which takes seconds.

And an empty target role or session policy takes away the one that an association has; and a role's permissions
boundary is told where the account's roles are listed with their policies, as by GetRole.
"""

import importlib.util
import json
import os
import runpy

from ministack.app import main
from ministack.core import iam_evaluator, router
from ministack.services import eks, iam


def managed_policies():
    moto = importlib.util.find_spec("moto")
    if moto is None:
        return {}
    path = os.path.join(moto.submodule_search_locations[0], "iam", "aws_managed_policies.py")
    return json.loads(runpy.run_path(path)["aws_managed_policies_data"])


for name, policy in managed_policies().items():
    resource = policy["Path"].lstrip("/") + name
    arn = "arn:aws:iam::aws:policy/" + resource
    if arn not in iam._aws_managed_policies:
        document = json.dumps(policy["Document"], separators=(",", ":"))
        iam._aws_managed_policies[arn] = iam._make_aws_managed_record(resource, document)

resolve_condition_key = iam_evaluator._resolve_condition_key
evaluate_trust_policy = iam_evaluator.evaluate_trust_policy
authorization_details = iam._get_account_authorization_details
update_association = eks._update_pod_identity_association


def condition_key(key, context):
    value = resolve_condition_key(key, context)
    if key.lower() != "aws:principalarn" or ":assumed-role/" not in str(value):
        return value
    role = iam._roles.get_scoped(value.split(":")[4], None, value.split("/")[1])
    return role["Arn"] if role else value


def trusts(document, caller_arn, context=None):
    return caller_arn.endswith(":root") or evaluate_trust_policy(document, caller_arn, context)


def update(cluster_name, association_id, body):
    association = eks._pod_identity_associations.get(eks._pia_key(cluster_name, association_id)) or {}
    for name in ("targetRoleArn", "policy"):
        if body.get(name) == "":
            association.pop(name, None)
    return update_association(cluster_name, association_id, body)


def details(parameters):
    status, headers, body = authorization_details(parameters)
    for role in iam._roles.values():
        boundary = role.get("PermissionsBoundary")
        if boundary:
            arn = f"<Arn>{role['Arn']}</Arn>"
            told = f"<PermissionsBoundary><PermissionsBoundaryArn>{boundary}</PermissionsBoundaryArn></PermissionsBoundary>"
            body = body.replace(arn.encode(), (arn + told).encode())
    return status, headers, body


router.SERVICE_PATTERNS["eks-auth"] = {}
eks._update_pod_identity_association = update
iam_evaluator._resolve_condition_key = condition_key
iam_evaluator.evaluate_trust_policy = trusts
iam._IAM_HANDLERS["GetAccountAuthorizationDetails"] = details

if __name__ == "__main__":
    main()
