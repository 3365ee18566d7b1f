import { main } from "@pulumi/pulumi/provider/index.js";
import { provider } from "./index.ts";

// What Pulumi's Node.js host loads (`main` in package.json) when it runs this folder as a package for other languages:
// serves the provider until its standard input ends. Told about the engine on the command line. In JavaScript, since the
// SDK's runner of plugins would compile TypeScript that it is given itself, by an old compiler; what is imported from here
// Node.js runs as it stands.

void main(provider, process.argv.slice(2));
