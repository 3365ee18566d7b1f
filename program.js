// What Pulumi's Node.js host loads (`main` in Pulumi.yaml). TypeScript is compiled as it is loaded, by esbuild and without
// a type check, which `npm test` does: so a run starts in a fraction of the time, and never with stale output.
require("tsx/cjs");
module.exports = require("./index.ts").program;
