// What Pulumi's Node.js host loads (`main` in package.json) when it runs this folder as a package for other languages.
require("./load").leaveStackTraces();
module.exports = require("./load").load("provider/index").serve;
