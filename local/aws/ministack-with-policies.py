"""Runs MiniStack with the AWS managed policies' real documents, and with roles' boundaries where it leaves them out.

MiniStack knows about forty of AWS's managed policies and lets any other name be attached as a policy that
grants nothing. moto ships all of them, as IAM returned them; only that one file of moto is read, so moto may be
installed without its dependencies. Without moto MiniStack runs with those it knows.
"""

import importlib.util
import json
import os
import runpy

from ministack.app import main
from ministack.services import iam


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



def authorization_details(parameters, details=iam._get_account_authorization_details):
    """IAM tells the permissions boundary of each role here; MiniStack 1.5.33 does in GetRole only."""
    status, headers, body = details(parameters)
    for role in iam._roles.values():
        boundary = role.get("PermissionsBoundary")
        if boundary:
            arn = f"<Arn>{role['Arn']}</Arn>"
            told = f"<PermissionsBoundary><PermissionsBoundaryArn>{boundary}</PermissionsBoundaryArn></PermissionsBoundary>"
            body = body.replace(arn.encode(), (arn + told).encode())
    return status, headers, body


iam._IAM_HANDLERS["GetAccountAuthorizationDetails"] = authorization_details

if __name__ == "__main__":
    main()
