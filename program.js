// What Pulumi's Node.js host loads (`main` in Pulumi.yaml).
require("./load").leaveStackTraces();
module.exports = require("./load").load("index").program;
