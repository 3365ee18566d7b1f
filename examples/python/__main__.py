"""A namespace, and in it a ServiceAccount with an IAM role of its own.

`pulumi package add <this repository>` writes a Python SDK for the package, and with it the class below is
`eks_irsa.IrsaServiceAccount`. Here the engine is asked by the component's type, so that nothing need be written first.
"""

import pulumi


class IrsaServiceAccount(pulumi.ComponentResource):
    roleArn: pulumi.Output[str]

    def __init__(self, name: str, props: dict, opts: pulumi.ResourceOptions):
        super().__init__("eks-irsa:index:IrsaServiceAccount", name, {**props, "roleArn": None}, opts, remote=True)


config = pulumi.Config()
# Without server-side apply, what is there already is an error, and not taken over.
kubernetes = pulumi.ProviderResource(
    "kubernetes",
    "cluster",
    {"kubeconfig": config.require("kubeconfig"), "enableServerSideApply": "false"},
)
namespace = pulumi.CustomResource(
    "kubernetes:core/v1:Namespace",
    "namespace",
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "from-python"}},
    pulumi.ResourceOptions(provider=kubernetes),
)
reader = IrsaServiceAccount(
    "reader",
    {
        "oidcProviderArn": config.require("oidcProviderArn"),
        "namespace": namespace.id,
        "policies": config.require_object("policies"),
        "role": {"maxSessionDuration": 7200},
    },
    pulumi.ResourceOptions(providers=[kubernetes]),
)
pulumi.export("roleArn", reader.roleArn)
