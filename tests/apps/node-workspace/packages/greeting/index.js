module.exports = `Hello from a workspace, ms ${require("ms/package.json").version}`;
