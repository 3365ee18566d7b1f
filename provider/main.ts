import { main } from "@pulumi/pulumi/provider/index.js";
import { provider } from "./index.ts";

// What Pulumi's Node.js host loads (`main` in package.json) when it runs this folder as a package for other languages:
// serves the provider until its standard input ends. Told about the engine on the command line.

void main(provider, process.argv.slice(2));
