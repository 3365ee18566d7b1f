// What Pulumi's Node.js host loads (`main` in package.json) when it runs this folder as a package for other languages.
require("tsx/cjs");
process.setSourceMapsEnabled(false); // see program.js
module.exports = require("./provider").serve;
