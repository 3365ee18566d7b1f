"""Runs a Pulumi project in Python by the Automation API, since no registry here has Pulumi's host for Python.

    python run_python.py <folder of the project> <config as JSON>

Prints one line of JSON: the outputs, the types of the resources, the outcome of a second `up`. Destroys it all again.
"""

import json
import runpy
import shutil
import sys
import tempfile
from pathlib import Path

import yaml
from pulumi import automation

project, config = Path(sys.argv[1]), json.loads(sys.argv[2])
work = tempfile.mkdtemp(prefix="eks-irsa-python-")
settings = yaml.safe_load((project / "Pulumi.yaml").read_text())
for provider in settings["plugins"]["providers"]:
    provider["path"] = str((project / provider["path"]).resolve())
Path(work, "Pulumi.yaml").write_text(yaml.safe_dump(settings))

stack = automation.create_or_select_stack(
    "python",
    project_name=settings["name"],
    program=lambda: runpy.run_path(str(project / "__main__.py")) and None,
    opts=automation.LocalWorkspaceOptions(work_dir=work),
)
try:
    for key, value in config.items():
        items = value if isinstance(value, list) else [value]
        for index, item in enumerate(items):
            path = f"{key}[{index}]" if isinstance(value, list) else key
            stack.set_config(path, automation.ConfigValue(item), path=True)
    result = stack.up(on_output=lambda text: print(text, file=sys.stderr))
    resources = [one["type"] for one in stack.export_stack().deployment["resources"]]
    again = stack.up().summary.resource_changes
except automation.CommandError as error:
    sys.exit(str(error))
finally:
    stack.destroy(remove=True)
    shutil.rmtree(work)
outputs = {name: output.value for name, output in result.outputs.items()}
print(json.dumps({"outputs": outputs, "resources": resources, "again": again}))
