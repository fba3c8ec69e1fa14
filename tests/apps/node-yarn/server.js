const { createServer } = require("node:http");
const { existsSync } = require("node:fs");
const ms = require("ms");

const server = createServer((_, answer) => answer.end(`Hello from yarn: ${ms(3600000)}, dev: ${existsSync("node_modules/is-odd")}\n`));
server.listen(process.env.PORT);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
