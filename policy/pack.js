// What Pulumi's analyzer loads. TypeScript is compiled as it is loaded, as in program.js.
require("tsx/cjs");
require("./pack.ts").pack();
