const { createServer } = require("node:http");
const greeting = require("@sample/greeting");

const other = require("ms/package.json").version;
const server = createServer((_, answer) => answer.end(`${greeting} and ${other}\n`));
server.listen(process.env.PORT);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
